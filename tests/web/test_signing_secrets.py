"""How the secrets lie that systems sign with: sealed, bound to their place, and along when the data key changes."""

from __future__ import annotations

from datetime import timedelta

from door import open_door, problem
from signer import Signer

from sla_service.delivery import standard_webhooks as scheme
from sla_service.services import signing, sources
from sla_service.store import tables_webhooks

KEY, NEXT = "k" * 40, "n" * 40


def test_a_secret_lies_sealed_and_follows_a_change_of_the_data_key(sqlite_url):
    with open_door(sqlite_url, data_key=KEY) as door:
        signer = Signer(door)
        [row] = door.rows(tables_webhooks.signing_secrets)
        assert signer.secret.removeprefix("whsec_") not in str(row)
        assert signer.post(door.accepted("A")).status_code == 200
    from sla_service.settings import Settings

    door.hall.app.settings = Settings(data_key=NEXT, data_key_old=KEY)
    assert signing.reseal(door.hall.app) == 1
    assert signing.reseal(door.hall.app) == 0
    door.hall.app.settings = Settings(data_key=NEXT)
    with door.hall.app.db.read() as conn:
        [held] = signing.holding(conn, door.hall.app.settings, "hall", "in", now=door.hall.now)
    assert held.key == scheme.key_of(signer.secret)


def test_a_sealed_secret_opens_in_its_own_place_only(sqlite_url):
    with open_door(sqlite_url, data_key=KEY) as door:
        mine = Signer(door)
        door.new_source("other")
        theirs = sources.rotate_signing(door.hall.app, "other", overlap=timedelta(), now=door.hall.now)[0]
        table = tables_webhooks.signing_secrets
        with door.hall.app.db.write() as conn:
            [row] = [r for r in conn.execute(table.select()).mappings() if r["source"] == "other"]
            conn.execute(table.update().where(table.c.source == "hall").values(secret=row["secret"]))
        problem(Signer(door, theirs).post(door.accepted("A")), 503)
        problem(mine.post(door.accepted("A")), 503)


def test_without_the_data_key_the_door_says_that_it_is_ours_to_mend(sqlite_url):
    with open_door(sqlite_url, data_key=KEY) as door:
        signer = Signer(door)
        door.hall.app.settings = type(door.hall.app.settings)()
        response = signer.post(door.accepted("A"))
        assert problem(response, 503)["detail"] == "签名密钥打不开，没有收下，请联系管理员。"
        assert response.headers["retry-after"] == "60"
