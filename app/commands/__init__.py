"""What a person can ask for by name. To add a command, add it to `COMMANDS`."""

from app.commands.ban import Banish, Unban
from app.commands.base import Command
from app.commands.cancel import Cancel
from app.commands.clear import Clear
from app.commands.forget import Forget
from app.commands.help import Help
from app.commands.model import Model, Models
from app.commands.networks.check import Check
from app.commands.networks.devices import Devices
from app.commands.networks.grants import Grant, Grants, Invite, Revoke
from app.commands.networks.incidents import Incidents
from app.commands.networks.locations import Find, Locations
from app.commands.networks.nodes import Nodes
from app.commands.networks.setup import Disconnect, Setup
from app.commands.networks.speed import Speed
from app.commands.networks.stats import Stats
from app.commands.networks.status import Network
from app.commands.networks.wan import Wan
from app.commands.networks.wifi import Wifi
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
    Setup(),
    Locations(),
    Find(),
    Network(),
    Wan(),
    Stats(),
    Nodes(),
    Wifi(),
    Devices(),
    Speed(),
    Incidents(),
    Check(),
    SessionOnly(),
    Cancel(),
    Forget(),
    Banish(),
    Unban(),
    Grant(),
    Revoke(),
    Grants(),
    Invite(),
    Disconnect(),
)
