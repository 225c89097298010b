"""What the OpenAPI document says beyond the handlers: how to sign in, and that every refusal has one form."""

from dataclasses import fields
from typing import Any

from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, YamlRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPI,
    OpenAPIMediaType,
    OpenAPIResponse,
    Operation,
    Schema,
    SecurityScheme,
)
from litestar.openapi.spec.enums import OpenAPIType

from backend.people.sign_in import OPEN_CALLS, OPEN_PATHS

DESCRIPTION = """督办：检查发现、佐证材料、整改事项、销号的接口。

Errors are `application/problem+json` with a stable `code`. Ids of everything a phone writes are made on the phone
(UUIDv7): the same id with the same content is the same request, with other content it is 409 `conflict`.
Lists are `{"items": […], "next": cursor|null}`. Times are ISO 8601 with an offset; server time decides deadlines.
What is stored is answered with a `receipt`, signed by the server: delete nothing on the phone without it.
Send the `version` of a rectification back as `If-Match` with a move: when somebody else was faster it is 409 `stale`.
Sign in with `POST /api/sessions`; send `Authorization: Bearer TOKEN`, or from a browser the cookie plus `X-Duban: 1`.
"""


class Document(OpenAPI):
    """Described when it is first asked for: a process that starts does not wait for what few ever read."""

    def to_schema(self) -> dict[str, Any]:
        describe(self)
        return super().to_schema()


class Config(OpenAPIConfig):
    """Makes a Document."""

    def to_openapi_schema(self) -> OpenAPI:
        made = super().to_openapi_schema()
        return Document(**{field.name: getattr(made, field.name) for field in fields(made)})


CONFIG = Config(
    title="Duban 督办",
    version="0.1.0",
    description=DESCRIPTION,
    path="/schema",
    render_plugins=[JsonRenderPlugin(path=["/", "/openapi.json"]), YamlRenderPlugin()],
    components=Components(
        security_schemes={
            "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="opaque"),
            "cookie": SecurityScheme(type="apiKey", name="__Host-duban", security_scheme_in="cookie"),
        }
    ),
    security=[{"bearer": []}, {"cookie": []}],
)

_TEXT = Schema(type=OpenAPIType.STRING)
REFUSAL = OpenAPIResponse(
    description="Refused. `code` is stable, `detail` is a sentence for people, `field` names the wrong part.",
    content={
        "application/problem+json": OpenAPIMediaType(
            schema=Schema(
                type=OpenAPIType.OBJECT,
                required=["type", "title", "status", "code", "detail"],
                properties={
                    **dict.fromkeys(("type", "title", "code", "detail", "field", "request_id"), _TEXT),
                    "status": Schema(type=OpenAPIType.INTEGER),
                    "details": Schema(type=OpenAPIType.OBJECT),
                },
            )
        )
    },
)


def describe(document: OpenAPI) -> None:
    """Corrects the document: litestar's own form of refusals out, ours in; open calls need no sign-in."""
    for path, item in (document.paths or {}).items():
        for method in ("get", "head", "put", "post", "patch", "delete"):
            operation: Operation | None = getattr(item, method)
            if operation is None:
                continue
            operation.responses = {
                code: told for code, told in (operation.responses or {}).items() if not code.startswith("4")
            } | {"4XX": REFUSAL}
            if path in OPEN_PATHS or (method.upper(), path) in OPEN_CALLS:
                operation.security = []
