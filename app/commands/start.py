from app import texts
from app.commands.base import Call, Command, Outcome, Services
from wire.reply import Button, Reply


class Start(Command):
    name = "start"
    summary = "say hello and see what this is"

    async def run(self, call: Call, services: Services) -> Outcome:
        catalogue = services.catalogue
        text = texts.START.format(
            model=texts.plain(catalogue.label(catalogue.serving(call.model))),
            limit=call.platform.rate_limit,
        )
        button = Button(label=texts.START_BUTTON, send="/help", style="primary")
        return Outcome(Reply(response=text, buttons=((button,),)))
