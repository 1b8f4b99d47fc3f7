"""What a person can ask for by name. To add a command, add it to `COMMANDS`."""

from app.commands.ban import Banish, Unban
from app.commands.base import Command
from app.commands.cancel import Cancel
from app.commands.clear import Clear
from app.commands.forget import Forget
from app.commands.help import Help
from app.commands.model import Model, Models
from app.commands.settings import Settings
from app.commands.start import Start
from app.commands.status import SessionOnly, Status
from app.commands.summarize import Summarize
from app.commands.translate import Translate

COMMANDS: tuple[Command, ...] = (
    Start(),
    Help(),
    Status(),
    Translate(),
    Model(),
    Models(),
    Summarize(),
    Clear(),
    Settings(),
    SessionOnly(),
    Cancel(),
    Forget(),
    Banish(),
    Unban(),
)
