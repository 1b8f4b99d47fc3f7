import re
from typing import ClassVar

from app import texts
from app.commands.base import Ban, Call, Command, Outcome, Services
from wire.reply import Reply

NUMERIC = re.compile(r"[1-9][0-9]{0,19}")


class Banish(Command):
    name = "ban"
    usage = "<id>"
    summary = "let somebody no longer talk to me"
    for_admins = True
    refusal = texts.ADMINS_ONLY
    banned: ClassVar[bool] = True

    async def run(self, call: Call, services: Services) -> Outcome:
        if not NUMERIC.fullmatch(call.words):
            text = texts.BAN_USE.format(name=self.name)
            return Outcome(Reply(response=text, success=False, error="command_usage"))
        if self.banned and call.words in call.platform.admins:
            # The last one could not be let in again by anybody.
            text = texts.BAN_ADMIN.format(user=texts.code(call.words))
            return Outcome(Reply(response=text, success=False, error="command_not_allowed"))
        text = texts.BANNED if self.banned else texts.UNBANNED
        reply = Reply(response=text.format(user=texts.code(call.words)))
        return Outcome(reply, ban=Ban(call.words, self.banned))


class Unban(Banish):
    name = "unban"
    summary = "let somebody talk to me again"
    banned = False
