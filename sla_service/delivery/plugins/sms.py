"""What the SMS gateways have in common: who is reached, and an approved template with short values.

Free text is not allowed at most gateways: an approved signature 【…】, an approved template and a few short
variables make the message. Titles belong into WeCom.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sla_service.delivery.message import Message
from sla_service.delivery.outcome import Outcome, refused
from sla_service.delivery.plugins.base import ProviderNotify
from sla_service.delivery.text import sms_value
from sla_service.errors import ChannelError

CLOCK_HINT = "请校准本机时间（开启 NTP）：签名只在几分钟内有效。"
KEY_HINT = "请检查密钥是否有效，以及它在地址里是否用百分号编码。"
IP_HINT = "请在服务商的控制台把本机的出口 IP 加入白名单。"
SIGN_HINT = "请在服务商的控制台检查短信签名是否已审核通过，与地址里写的是否一致。"
TEMPLATE_HINT = "请在服务商的控制台检查模板是否已审核通过，变量个数与 channels.yaml 里的是否一致。"
PHONE_HINT = "请检查通讯录里的手机号。"
MONEY_HINT = "请检查短信套餐余量和账户余额。"


class SmsNotify(ProviderNotify):  # type: ignore[no-untyped-call]
    """``?template=`` and ``?sign=`` stand in for what a message does not bring itself.

    ``?value_max=`` is how long one variable may be (longer ones are shortened), ``?var=`` the variable that
    takes the whole text when the plugin is used as plain Apprise.
    """

    # Named here too since mypy compares with the direct base.
    service_name = ""
    service_url = ""
    setup_url = ""
    secure_protocol = ""
    templates = ("{schema}://{user}:{password}@{host}", "{schema}://{user}:{password}@{host}/{targets}")

    most_recipients: ClassVar[int] = 1000
    options = (*ProviderNotify.options, "template", "sign", "value_max", "var")
    template_args = {  # noqa: RUF012 — Apprise's own form
        **ProviderNotify.template_args,
        "template": {"name": "Template ID", "type": "string"},
        "sign": {"name": "Signature", "type": "string"},
        "value_max": {"name": "Longest Variable", "type": "int", "min": 1, "default": 35},
        "var": {"name": "Variable of plain messages", "type": "string", "default": "content"},
    }

    def __init__(
        self,
        *,
        template: str | None = None,
        sign: str | None = None,
        value_max: str | None = None,
        var: str | None = None,
        own: dict[str, str | None] | None = None,
        **kwargs: Any,
    ) -> None:
        ours = {"template": template, "sign": sign, "value_max": value_max, "var": var}
        super().__init__(own=ours | (own or {}), **kwargs)
        self.template, self.sign, self.var = template, sign, var or "content"
        if not all(self.account) or not self.host:
            raise ChannelError("地址要写成“账号:密钥@名称”的形式")
        try:
            self.value_max = int(value_max or 35)
        except ValueError:
            self.value_max = 0
        if self.value_max < 1:
            raise ChannelError("value_max= 是一个变量最多的字数，例如 value_max=35")

    def phones(self, message: Message) -> tuple[dict[str, str], list[str], Outcome | None]:
        """Recipients' ids by number; the ids of those without one; and the outcome if nobody can be reached."""
        people, missing = self.addressed(message, "phone")
        problem = None
        if not people:
            problem = refused("no_address", "接收人没有手机号。", hint="请在通讯录里补上 phone 一栏。")
        elif len(people) > self.most_recipients:
            text = f"一条短信最多发给 {self.most_recipients} 人，这里有 {len(people)} 人。"
            problem = refused("too_many", text)
        return {phone: person.id for person, phone in people}, missing, problem

    def filled(self, message: Message) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """Template id (empty: none), the names of its variables and their values as they go out."""
        template = message.template or self.template or ""
        if message.template or message.values or not template:
            names, values = message.names, message.values
        else:  # plain Apprise knows no variables
            names, values = (self.var,), (f"{message.title} {message.body}",)
        return template, names, tuple(sms_value(value, self.value_max) for value in values)


NO_TEMPLATE = refused(
    "no_template",
    "没有指定短信模板。",
    hint="请在 channels.yaml 的 templates 或地址的 template= 里写上已审核通过的模板编号。",
)
