from typing import ClassVar

from app import texts, words
from app.commands.base import Asking, Call, Outcome, Services
from app.commands.networks.base import NetworkCommand, button, counted, refusal, rows
from app.errors import AppError, InvalidCredentials, NotConnected, PlumeError
from app.panoptes.panoptes import Panoptes
from app.plume.credentials import Credentials, parse_authorization, parse_partner_id
from app.sessions.dialogues import Dialogue
from wire.reply import Button, Reply

AUTHORIZATION, PARTNER = "authorization", "partner"
QUESTIONS = {AUTHORIZATION: words.SETUP_AUTHORIZATION, PARTNER: words.SETUP_PARTNER}
CONFIRMED = "yes"


class Setup(NetworkCommand, Asking):
    """Two questions. The credentials are tried before they replace what works."""

    name = "setup"
    summary = "sign in to Plume"
    only_private: ClassVar[bool] = True
    takes_secrets: ClassVar[bool] = True

    async def look(self, call: Call, panoptes: Panoptes) -> Outcome:
        if call.typed:
            return self._authorization(call)
        try:
            await panoptes.access.sight(call.person)
        except NotConnected:
            return _ask(AUTHORIZATION)
        return _ask(AUTHORIZATION, before=words.SETUP_AGAIN)

    async def hear(self, call: Call, dialogue: Dialogue, services: Services) -> Outcome:
        if services.panoptes is None:
            return refusal(texts.NETWORKS_OFF, "networks_off")
        if dialogue.step == AUTHORIZATION:
            return self._authorization(call)
        return await self._partner(call, dialogue, services.panoptes)

    def question(self, dialogue: Dialogue) -> str:
        return QUESTIONS[dialogue.step]

    def _authorization(self, call: Call) -> Outcome:
        try:
            authorization = parse_authorization(call.typed)
        except InvalidCredentials as error:
            return _ask(AUTHORIZATION, before=f"{error}\n\n", error=error)
        return _ask(PARTNER, authorization=authorization.get_secret_value())

    async def _partner(self, call: Call, dialogue: Dialogue, panoptes: Panoptes) -> Outcome:
        authorization = dialogue.known.get(AUTHORIZATION, "")
        try:
            partner = parse_partner_id(call.typed)
        except InvalidCredentials as error:
            return _ask(PARTNER, before=f"{error}\n\n", error=error, authorization=authorization)
        try:
            credentials = Credentials(parse_authorization(authorization), partner)
            customers = await panoptes.access.connect(call.person, credentials)
        except PlumeError as error:
            return _not_signed_in(error)
        text = words.SETUP_DONE.format(customers=counted(customers, "customer"))
        return Outcome(Reply(response=text, buttons=rows("locations")), dialogue=None)


def _not_signed_in(error: PlumeError) -> Outcome:
    if error.retryable:
        text = words.SETUP_LATER.format(reason=error)
        return refusal(text, error.code, ((button("cancel"),),))
    asked = _ask(AUTHORIZATION, error=error)
    text = words.SETUP_REFUSED.format(reason=error, question=words.SETUP_AUTHORIZATION)
    return Outcome(asked.reply.model_copy(update={"response": text}), dialogue=asked.dialogue)


def _ask(
    step: str, *, before: str = "", error: AppError | None = None, authorization: str = ""
) -> Outcome:
    # Whatever was sent may have held the secret, a mistyped one too.
    reply = Reply(
        response=before + QUESTIONS[step],
        success=error is None,
        error=error.code if error else None,
        buttons=((button("cancel"),),),
        actions=("forget",) if error or step == PARTNER else (),
    )
    known = {AUTHORIZATION: authorization} if authorization else {}
    return Outcome(reply, dialogue=Dialogue(Setup.name, step, known))


class Disconnect(NetworkCommand):
    name = "disconnect"
    summary = "delete my Plume sign-in"
    only_private: ClassVar[bool] = True

    async def look(self, call: Call, panoptes: Panoptes) -> Outcome:
        if call.words.lower() != CONFIRMED:
            ask = Button(
                label=words.DISCONNECT_BUTTON, send=f"/{self.name} {CONFIRMED}", style="danger"
            )
            return Outcome(Reply(response=words.DISCONNECT_ASK, buttons=((ask,),)))
        if not await panoptes.access.disconnect(call.person):
            return refusal(words.DISCONNECTED_NOTHING, "not_connected", rows("setup"))
        return Outcome(Reply(response=words.DISCONNECTED, buttons=rows("setup")))
