import re
from typing import ClassVar

from app import texts
from app.commands.base import Ban, Call, Command, Outcome, Services
from app.platforms.platform import Platform
from wire.reply import Reply

NUMERIC = re.compile(r"[1-9][0-9]{0,19}")


class Banish(Command):
    name = "ban"
    usage = "<id>"
    summary = "let somebody no longer talk to me"
    for_admins = True
    refusal = texts.ADMINS_ONLY
    banned: ClassVar[bool] = True

    def allowed(self, platform: Platform, user_id: str = "", *, private: bool = True) -> bool:
        # Elsewhere a key lets people in, and whoever holds it decides who they are.
        return platform.public and super().allowed(platform, user_id, private=private)

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
