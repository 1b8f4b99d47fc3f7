from app import texts
from app.commands.base import Call, Command, Outcome, Services
from wire.reply import Reply


class Help(Command):
    name = "help"
    summary = "list what you can do"

    async def run(self, call: Call, services: Services) -> Outcome:
        lines = (
            texts.HELP_LINE.format(
                name=command.name,
                usage=f" {command.usage}" if command.usage else "",
                summary=command.summary,
            )
            for command in services.allowed(
                call.platform, call.message.user_id, private=call.private
            )
        )
        return Outcome(Reply(response=texts.HELP.format(commands="\n".join(lines))))
