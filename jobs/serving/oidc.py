"""Login through an OIDC identity provider: authorization code with PKCE, and an id token that is checked in every part.

OpenID Connect Core 1.0, 3.1; RFC 7636. The provider identifies the user; settings map that to a role and department.
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


# Not authlib's client for Starlette: it stores state, nonce and verifier in a signed session cookie, which
# a browser may replay. Here they are in the state database, so that a state is valid once, for ten minutes.
@dataclass(frozen=True)
class Oidc:
    """One provider; `redirect` is the address to which it sends people back."""

    settings: Settings
    database: Database
    redirect: str

    def begin(self, target: str, at: datetime) -> tuple[str, str]:
        """The provider's authorization URL, and the state that the browser has to return."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        with self._client() as client:
            endpoint = self._configuration()["authorization_endpoint"]
            url, _ = client.create_authorization_url(endpoint, state=state, nonce=nonce, code_verifier=verifier)
        row = OidcRow(state_hash=digest(state), nonce=nonce, verifier=verifier, target=target[:500], started_at=utc(at))
        with self.database.session() as session:
            session.execute(delete(OidcRow).where(OidcRow.started_at < at - LASTS))
            session.add(row)
        return str(url), state

    def finish(self, state: str, code: str, at: datetime) -> tuple[Identity, str]:
        """The identity and the target page; LoginRefused where any check fails. A state is valid once."""
        with self.database.session() as session:
            row = session.get(OidcRow, digest(state))
            if row is None or utc(row.started_at) < at - LASTS:
                raise LoginRefused(FAILED)
            nonce, verifier, target = row.nonce, row.verifier, row.target
            session.delete(row)
        return self._identity(self._claims(code, nonce, verifier, at)), target

    def _claims(self, code: str, nonce: str, verifier: str, at: datetime) -> dict[str, Any]:
        """Claims of the id token: signed by the provider, for this client and login, and not expired."""
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
        """The first mapped role in the provider's claim; empty where there is none."""
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
        """The provider's discovery document; SetupError where its issuer differs from the settings, or a URL is not https."""
        issuer = self.settings.oidc_issuer
        discovery = _json(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if discovery.get("issuer") != issuer or any(not isinstance(discovery.get(name), str) for name in NEEDED):
            raise SetupError(f"{issuer} names another issuer in its discovery document; LAKE_OIDC_ISSUER must equal it")
        for name in NEEDED:
            url = urlsplit(discovery[name])
            if url.scheme != "https" and url.hostname not in LOOPBACK:
                raise SetupError(f"{name} of {issuer} is not https")
        return discovery


def _json(url: str) -> dict[str, Any]:
    try:
        answer = httpx.get(url, timeout=TIMEOUT_S, trust_env=False).raise_for_status()
        return dict(answer.json())
    except (httpx.HTTPError, ValueError) as error:
        raise ServiceUnavailable(f"the identity provider at {url} does not answer: {type(error).__name__}") from error
