from app import texts
from app.commands.base import Call, Command, Outcome, Services
from app.commands.conversation import spoken, turns_of
from app.llm.base import Turn
from wire.reply import Reply


class Summarize(Command):
    name = "summarize"
    summary = "summarise this conversation"
    refusal = texts.PRIVATE_ONLY

    async def run(self, call: Call, services: Services) -> Outcome:
        if not call.history:
            return Outcome(Reply(response=texts.SUMMARIZE_NOTHING))
        turns = [*turns_of(call.history), Turn("user", texts.SUMMARIZE_ASK)]
        wanted = call.profile.language or texts.SUMMARIZE_THEIRS
        task = texts.SUMMARIZE_TASK.format(language=wanted)
        return spoken(await services.assistant.speak(call, turns, task))
