"""The style sheet. Its address holds its hash, so browsers keep it until it changes."""

from __future__ import annotations

from fastapi import APIRouter, Response

from sla_service.web.pages.render import stylesheet

router = APIRouter(include_in_schema=False)


@router.get("/static/style.css")
async def style() -> Response:
    content, tag = stylesheet()
    headers = {"ETag": f'"{tag}"', "Cache-Control": "public, max-age=31536000, immutable"}
    return Response(content, headers=headers, media_type="text/css")


@router.get("/favicon.ico")
async def favicon() -> Response:
    """None: an answer that keeps browsers from asking, and logs from filling."""
    return Response(status_code=204, headers={"Cache-Control": "public, max-age=86400"})
