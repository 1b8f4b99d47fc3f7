from app import texts, words
from app.commands.base import Call, Command, Outcome, Services
from app.commands.networks.base import refusal, rows
from wire.reply import Button, Reply


class Start(Command):
    """`/start token`, as a link of Telegram sends it, takes an invitation to look at networks."""

    name = "start"
    summary = "say hello and see what this is"

    async def run(self, call: Call, services: Services) -> Outcome:
        catalogue = services.catalogue
        text = texts.START.format(
            model=texts.plain(catalogue.label(catalogue.serving(call.model))),
            limit=call.platform.rate_limit,
        )
        button = Button(label=texts.START_BUTTON, send="/help", style="primary")
        panoptes = services.panoptes
        if panoptes is None or not call.platform.networks or not call.private:
            return Outcome(Reply(response=text, buttons=((button,),)))
        if call.words:
            if await panoptes.access.redeem(call.words, call.person):
                return Outcome(Reply(response=words.REDEEMED, buttons=rows("locations")))
            return refusal(words.REDEEM_REFUSED, "invitation_refused", ((button,),))
        step = await panoptes.access.next_step(call.person)
        text = f"{text}\n\n{words.START[step]}"
        return Outcome(Reply(response=text, buttons=((button,), *rows(step))))
