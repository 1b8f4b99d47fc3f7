from app import texts
from app.commands.base import Call, Command, Outcome, Services
from wire.reply import Reply


class Clear(Command):
    name = "clear"
    summary = "forget what was said in this conversation"
    refusal = texts.PRIVATE_ONLY

    async def run(self, call: Call, services: Services) -> Outcome:
        if not call.history:
            return Outcome(Reply(response=texts.CLEARED_NOTHING))
        text = texts.CLEARED.format(count=2 * len(call.history))
        return Outcome(Reply(response=text), forget="history")
