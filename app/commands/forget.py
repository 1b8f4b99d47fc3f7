from app import texts
from app.commands.base import Call, Command, Outcome, Services
from wire.reply import Button, Reply

CONFIRMED = "yes"


class Forget(Command):
    name = "forget"
    summary = "delete everything that is stored about you here"
    always = True

    async def run(self, call: Call, services: Services) -> Outcome:
        if call.words.lower() == CONFIRMED:
            return Outcome(Reply(response=texts.FORGOTTEN), forget="person")
        button = Button(label=texts.FORGET_BUTTON, send=f"/{self.name} {CONFIRMED}", style="danger")
        return Outcome(Reply(response=texts.FORGET_ASK, buttons=((button,),)))
