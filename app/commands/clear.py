from app import texts
from app.commands.base import Call, Command, Outcome, Services
from wire.reply import Reply


class Clear(Command):
    name = "clear"
    summary = "forget what was said in this conversation"
    refusal = texts.PRIVATE_ONLY

    async def run(self, call: Call, services: Services) -> Outcome:
        count = 2 * len(call.history)
        text = texts.CLEARED.format(count=count) if count else texts.CLEARED_NOTHING
        # Older messages than the model sees may still be kept: they go in any case.
        return Outcome(Reply(response=text), forget="history")
