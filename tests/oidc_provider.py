"""A small OIDC provider as a process of its own, with its own key: `python -m tests.oidc_provider PORT`.

It logs in whoever the header X-User names; some names get a token that is wrong in one way each.
"""

import base64
import hashlib
import secrets
import sys
import time
from typing import Annotated, Any
from urllib.parse import urlencode

import uvicorn
from fastapi import Depends, FastAPI, Form, Header, HTTPException
from fastapi.responses import RedirectResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

CLIENT, SECRET = "lake-portal", "a secret of the client"
USERS: dict[str, dict[str, Any]] = {
    "alice": {
        "name": "爱丽丝",
        "preferred_username": "alice",
        "roles": ["staff", "dept-approver"],
        "department": "MZJ",
    },
    "mallory": {"name": "马洛里", "preferred_username": "officer", "roles": ["dept-approver"], "department": "MZJ"},
    "guest": {"name": "客人", "preferred_username": "guest", "roles": ["staff"], "department": "MZJ"},
    "homeless": {"name": "无部门", "preferred_username": "homeless", "roles": ["dept-approver"], "department": "?"},
}
WRONG = ("wrong-nonce", "wrong-aud", "wrong-iss", "expired", "other-key", "unsigned", "two-audiences", "no-token")


def provider(issuer: str) -> FastAPI:  # noqa: C901 - the routes of one application
    """The application of one issuer."""
    app, basic = FastAPI(), HTTPBasic()
    key, other = (RSAKey.generate_key(2048, auto_kid=True) for _ in range(2))
    codes: dict[str, dict[str, str]] = {}

    @app.get("/.well-known/openid-configuration")
    def configuration() -> dict[str, str]:
        places = {name: f"{issuer}/{name.split('_')[0]}" for name in ("authorization_endpoint", "token_endpoint")}
        return {"issuer": issuer, "jwks_uri": f"{issuer}/jwks", **places}

    @app.get("/jwks")
    def jwks() -> Any:
        return KeySet([key]).as_dict(private=False)

    @app.get("/authorization")
    def authorization(
        client_id: str, redirect_uri: str, state: str, nonce: str, code_challenge: str, code_challenge_method: str,
        response_type: str, scope: str, x_user: Annotated[str, Header()],
    ) -> RedirectResponse:  # fmt: skip
        if (client_id, response_type, code_challenge_method) != (CLIENT, "code", "S256") or "openid" not in scope:
            raise HTTPException(400)
        code = secrets.token_urlsafe(16)
        codes[code] = {"user": x_user, "nonce": nonce, "challenge": code_challenge, "redirect": redirect_uri}
        return RedirectResponse(f"{redirect_uri}?{urlencode({'code': code, 'state': state})}", 302)

    @app.post("/token")
    def token(
        code: Annotated[str, Form()], redirect_uri: Annotated[str, Form()], code_verifier: Annotated[str, Form()],
        who: Annotated[HTTPBasicCredentials, Depends(basic)],
    ) -> Any:  # fmt: skip
        login = codes.pop(code, None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
        if login is None or (login["challenge"], login["redirect"]) != (challenge, redirect_uri):
            raise HTTPException(400)
        if (who.username, who.password) != (CLIENT, SECRET):
            raise HTTPException(401)
        return {"access_token": "x", "token_type": "Bearer", **id_token(login["user"], login["nonce"])}

    def id_token(user: str, nonce: str) -> dict[str, str]:
        now = int(time.time())
        claims = {"iss": issuer, "aud": CLIENT, "sub": user, "iat": now, "exp": now + 300, "nonce": nonce}
        claims |= USERS.get(user, USERS["alice"])
        claims |= {
            "wrong-nonce": {"nonce": "another"}, "wrong-aud": {"aud": "another"}, "wrong-iss": {"iss": "https://evil.example"},
            "expired": {"iat": now - 900, "exp": now - 600}, "two-audiences": {"aud": [CLIENT, "another"]},
        }.get(user, {})  # fmt: skip
        if user == "no-token":
            return {}
        if user == "unsigned":
            parts = (b'{"alg":"none"}', str(claims).replace("'", '"').encode())
            return {"id_token": ".".join(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts) + "."}
        signer = other if user == "other-key" else key
        return {"id_token": jwt.encode({"alg": "RS256", "kid": key.kid}, claims, signer)}

    return app


if __name__ == "__main__":
    uvicorn.run(provider(f"http://127.0.0.1:{sys.argv[1]}"), port=int(sys.argv[1]), log_level="warning")
