"""Plume Cloud: its addresses, and every sign-in that is stored."""

import asyncio

import httpx

from app.admin.checks.outside import Unreachable, ask
from app.admin.findings import Case, Finding, broken, fine
from app.errors import AppError, PlumeSignInRefused
from app.http import open_client
from app.plume.budget import Budget
from app.plume.client import Plume
from app.plume.credentials import Credentials
from app.plume.desk import Cloud
from app.plume.patience import Patience

PIECE = "Plume"
MOST = 20  # sign-ins that are tried, the oldest first
CALLS_PER_SECOND = 2  # the service counts on the rest
HASTY = Patience(connect=4.0, sign_in=6.0, api=9.0, retries=0)
NOT_FOUND = 404
ADDRESSES = "check PLUME_SSO_URL, PLUME_API_BASE and PLUME_REPORTS_BASE, and the network"


async def plume(case: Case) -> list[Finding]:
    settings = case.settings.plume
    if not settings.plume_enabled:
        return [fine(PIECE, "networks are off")]
    stored = await case.stored
    sign_ins = stored.sign_ins if stored is not None else []
    async with open_client() as http:
        case.clocks.listen(http, PIECE)
        if not sign_ins:
            return [await _address(http, str(settings.plume_sso_url))]
        cloud = Cloud(
            str(settings.plume_sso_url),
            str(settings.plume_api_base),
            str(settings.plume_reports_base),
            settings.plume_reports_client_id,
        )
        budget = Budget(clock=asyncio.get_running_loop().time, per_second=CALLS_PER_SECOND)
        client = Plume(http, cloud, budget=budget, patience=HASTY)
        tried = sign_ins[:MOST]
        found = await asyncio.gather(*(_tried(client, credentials) for *_, credentials in tried))
    named = [(_owner(case, *person), it) for (*person, _), it in zip(tried, found, strict=True)]
    wrong = [broken(PIECE, f"{who}: {it[0]}", it[1]) for who, it in named if it is not None]
    works = len(tried) - len(wrong)
    return [
        *([fine(PIECE, f"{works} of {len(tried)} sign-ins are taken")] if works else []),
        *wrong,
    ]


async def _address(http: httpx.AsyncClient, url: str) -> Finding:
    try:
        said = await ask(http, "POST", url, grant_type="client_credentials")
    except Unreachable:
        return broken(PIECE, "its sign-in does not answer", ADDRESSES)
    if said.status == NOT_FOUND or ("error" not in said.body and "errorCode" not in said.body):
        return broken(PIECE, f"at PLUME_SSO_URL is no sign-in ({said.status})", ADDRESSES)
    return fine(PIECE, "it answers; nobody has signed in yet")


async def _tried(client: Plume, credentials: bytes | None) -> tuple[str, str] | None:
    """Return what is wrong with a sign-in, and what to do."""
    if credentials is None:
        return "the encryption key does not open it", "put back the key file of then"
    try:
        await client.account(Credentials.load(credentials)).customer_count()
    except PlumeSignInRefused:
        return "the sign-in is refused", "its owner sends /setup again"
    except AppError as error:
        return f"Plume does not answer as it should ({error.cause})", ADDRESSES
    return None


def _owner(case: Case, platform: str, user_id: str) -> str:
    """Name the owner so that only who knows the id can tell who it is."""
    if case.sealer is None:
        return platform
    mark = case.sealer.fingerprint(f"{platform}/{user_id}".encode()).hex()[:8]
    return f"the sign-in of {platform} user #{mark}"
