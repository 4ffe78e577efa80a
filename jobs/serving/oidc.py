"""Login through an OIDC identity provider: authorization code with PKCE, and an id token that is checked in every part.

OpenID Connect Core 1.0, 3.1; RFC 7636. The provider says who it is; which role and department that means is a setting.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import delete

from jobs.access.roles import roles_of_people
from jobs.errors import ServiceUnavailable, SetupError
from jobs.lake.database import Database, utc
from jobs.serving.account_tables import OidcRow
from jobs.serving.accounts import MOST_PERSON, Identity, LoginRefused
from jobs.serving.sessions import digest
from jobs.settings import Settings

LASTS = timedelta(minutes=10)
TIMEOUT_S, LEEWAY_S = 10, 60
ALGORITHMS = ("RS256", "ES256", "PS256")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
FAILED = "统一身份认证没有成功，请重新登录；仍不行请联系平台运维"


# Not authlib's client for Starlette: it keeps state, nonce and verifier in a session signed with a secret of its own, which
# a browser may bring back twice. Here they lie in the state database, so that a state is good once, for ten minutes.
@dataclass(frozen=True)
class Oidc:
    """One provider; `redirect` is the address to which it sends people back."""

    settings: Settings
    database: Database
    redirect: str

    def begin(self, target: str, at: datetime) -> tuple[str, str]:
        """The provider's address to go to, and the state that the browser has to bring back."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        with self._client() as client:
            where = self._configuration()["authorization_endpoint"]
            url, _ = client.create_authorization_url(where, state=state, nonce=nonce, code_verifier=verifier)
        row = OidcRow(state_hash=digest(state), nonce=nonce, verifier=verifier, target=target[:500], started_at=utc(at))
        with self.database.session() as session:
            session.execute(delete(OidcRow).where(OidcRow.started_at < at - LASTS))
            session.add(row)
        return str(url), state

    def finish(self, state: str, code: str, at: datetime) -> tuple[Identity, str]:
        """Who it is, and where to go on; LoginRefused where anything does not fit. A state is good once."""
        with self.database.session() as session:
            row = session.get(OidcRow, digest(state))
            if row is None or utc(row.started_at) < at - LASTS:
                raise LoginRefused(FAILED)
            nonce, verifier, target = row.nonce, row.verifier, row.target
            session.delete(row)
        return self._identity(self._claims(code, nonce, verifier, at)), target

    def _claims(self, code: str, nonce: str, verifier: str, at: datetime) -> dict[str, Any]:
        """Claims of the id token: signed by the provider, for us, for this very login, and not too old."""
        own, issuer = self.settings.oidc_client_id, self.settings.oidc_issuer
        with self._client() as client:
            known = self._configuration()
            try:
                tokens = client.fetch_token(known["token_endpoint"], code=code, code_verifier=verifier)
                keys = KeySet.import_key_set(_json(known["jwks_uri"]))  # type: ignore[arg-type]
                claims: dict[str, Any] = jwt.decode(tokens["id_token"], keys, algorithms=list(ALGORITHMS)).claims
                registry = jwt.JWTClaimsRegistry(
                    now=int(at.timestamp()),
                    leeway=LEEWAY_S,
                    iss={"essential": True, "value": issuer},
                    aud={"essential": True, "value": own},
                    sub={"essential": True},
                    exp={"essential": True},
                    iat={"essential": True},
                    nonce={"essential": True, "value": nonce},
                )
                registry.validate(claims)
            except (OAuthError, JoseError, KeyError, ValueError, TypeError) as error:
                raise LoginRefused(FAILED) from error
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != own:
            raise LoginRefused(FAILED)
        return claims

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        role, department = self._role(claims), self._department(claims)
        if not department or role not in roles_of_people():
            raise LoginRefused("统一身份认证没有给出本平台的角色或部门，请联系平台运维")
        name = str(claims.get("preferred_username") or "")
        return Identity(
            f"{claims['iss']}|{claims['sub']}"[:300],
            name,
            str(claims.get("name") or "")[:MOST_PERSON],
            role,
            department,
        )

    def _role(self, claims: Mapping[str, Any]) -> str:
        """The first role here that the provider's claim names; empty where it names none."""
        claim = claims.get(self.settings.oidc_role_claim)
        values = [str(v) for v in claim] if isinstance(claim, list) else [str(claim)]
        return next((name for value, name in self.settings.oidc_roles.items() if value in values), "")

    def _department(self, claims: Mapping[str, Any]) -> str:
        known = self.settings.oidc_departments
        department = str(claims.get(self.settings.oidc_department_claim) or "")
        return known.get(department, "" if known else department)

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            self.settings.oidc_client_id,
            self.settings.oidc_client_secret.get_secret_value(),
            scope="openid profile",
            redirect_uri=self.redirect,
            code_challenge_method="S256",
            timeout=TIMEOUT_S,
            trust_env=False,
        )

    def _configuration(self) -> dict[str, Any]:
        """What the provider says of itself; SetupError where it is another than the settings name, or not safe."""
        issuer = self.settings.oidc_issuer
        found = _json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer or any(not isinstance(found.get(name), str) for name in NEEDED):
            raise SetupError(f"{issuer} does not describe itself as that issuer; LAKE_OIDC_ISSUER must be its own word")
        for name in NEEDED:
            where = urlsplit(found[name])
            if where.scheme != "https" and where.hostname not in LOOPBACK:
                raise SetupError(f"{name} of {issuer} is not https")
        return found


def _json(url: str) -> dict[str, Any]:
    try:
        answer = httpx.get(url, timeout=TIMEOUT_S, trust_env=False).raise_for_status()
        return dict(answer.json())
    except (httpx.HTTPError, ValueError) as error:
        raise ServiceUnavailable(f"the identity provider at {url} does not answer: {type(error).__name__}") from error
