"""Every text about networks, so that languages can be added. See `app.texts` for the rest."""

from typing import Final

START: Final = {
    "setup": "I can look at Plume networks too: sign in, and I tell you how they are.",
    "locations": "You are signed in to Plume. Next: choose a location.",
    "status": "Welcome back: your Plume location is still chosen.",
}

SETUP_AUTHORIZATION = (
    "**Sign in to Plume, step 1 of 2.** Send the authorization header from the Plume partner "
    "portal. It looks like `Basic MG9h…`. I delete your message at once, keep the header sealed "
    "and show it to nobody. `/cancel` leaves."
)
SETUP_PARTNER = (
    "**Step 2 of 2.** Send the partner id from the portal: 24 characters of 0-9 and a-f. "
    "`/cancel` leaves."
)
SETUP_AGAIN = "You are signed in already; what works now stays until something else does.\n\n"
SETUP_DONE = "**Signed in.** Plume knows {customers} here. Next: choose a location."
SETUP_REFUSED = "{reason} What worked before stays. Let us begin again.\n\n{question}"
SETUP_LATER = "{reason} I still have the header: send the partner id again in a moment."
SETUP_STALE = "I no longer have the header. Let us begin again.\n\n"

DISCONNECT_ASK = (
    "This deletes your Plume sign-in here, and ends the access of everybody you granted it to. "
    "Press the button, or send `/disconnect yes`."
)
DISCONNECT_BUTTON = "Delete my sign-in"
DISCONNECTED = "Done: your Plume sign-in is deleted. `/setup` signs in again."
DISCONNECTED_NOTHING = "You have no Plume sign-in of your own here. `/setup` signs in."

FIND_ASK = (
    "Which location? Send a name, an account number, an e-mail address, a service number, or "
    "the serial number of a pod. `/cancel` leaves."
)
FIND_RECENT = "\n\nOr take one of these:"
FIND_NOTHING = (
    "I found nothing for {words}. Names are found by how they begin; account and serial numbers "
    "have to be whole. Try something else."
)
FIND_HITS = "{count} match {words}. Which one?"
FIND_MANY = "More than {count} match {words}. Send something more exact, or choose:"
CUSTOMER = "**{customer}**{account}"
CUSTOMER_ACCOUNT = ", account {account}"
LOCATIONS = "{customer}\n\n{count}. Which one?"
LOCATIONS_NONE = "{customer}\n\nThis customer has no location yet. Look for another."
CHOSEN = "**{location}** of {customer} is chosen. What would you like to see?"
STARRED = "**{location}** is a favourite now: it comes first in `/locations`."
UNSTARRED = "**{location}** is no favourite any more."
STAR_UNKNOWN = "You have not chosen this location yet. Choose it first."
UNNAMED_CUSTOMER = "Customer {number}"
UNNAMED_LOCATION = "Location {number}"

GRANT_USE = (
    "Let a colleague look through your Plume sign-in, without changing anything: "
    "`/grant 123456789`, or for some customers or locations only: "
    "`/grant 123456789 customer <id> location <id>`. `/grant *` is for everybody here."
)
GRANTED = "{who} may look now, {what}."
GRANT_EVERYTHING = "at everything that you see"
GRANT_SOME = "at {parts} only"
REVOKE_USE = "Say whose access ends: `/revoke 123456789`."
REVOKED = "{who} may no longer look through your sign-in."
REVOKED_NOTHING = "{who} had no access through your sign-in."
GRANTS = "**Who looks through your sign-in**\n\n{lines}"
GRANTS_NOBODY = "Nobody else looks through your sign-in. `/grant` or `/invite` lets somebody."
GRANTS_LINE = "- {who}: {what}"
EVERYBODY = "Everybody here"
INVITED = (
    "Send this to one colleague. It works once, for a day, and lets them look, {what}:\n\n{link}"
)
REDEEMED = "You may look at networks now, through a colleague's sign-in. Next: choose a location."
REDEEM_REFUSED = "This invitation was used before, or is too old. Ask for a new one."
AUDIT = "**Who looked**\n\n{lines}"
AUDIT_LINE = "- {time}: {who}, {action}{where}"
AUDIT_NOTHING = "Nobody has looked yet."

BACK = "← Back"
PAGE_BEFORE, PAGE_AFTER = "← {page} of {last}", "{page} of {last} →"
BUTTONS: Final = {
    "setup": "Sign in to Plume",
    "locations": "Choose a location",
    "status": "Status",
    "wan": "WAN report",
    "stats": "Online stats",
    "nodes": "Node details",
    "wifi": "WiFi networks",
    "devices": "Devices",
    "speed": "Speed tests",
    "incidents": "Incidents",
    "check": "Check everything",
    "grants": "Who may look",
    "cancel": "Cancel",
    "again": "Try again",
}
STATES: Final = {
    "online": "🟢",
    "degraded": "🟡",
    "offline": "🔴",
    "no_equipment": "⚪",
    "unknown": "❔",
}

UNKNOWN_VALUE = "unknown"
UNDER_A_MINUTE = "under a minute"
AGO = "{time} ago"
SINCE = " since {time} ({lasting})"
A_POD = "a pod"
UNNAMED = "This location"
OF_CUSTOMER = " of {customer}"
READ_AT = "_Read {time}, {zone} ({offset})._"
NOT_TOLD = "\n_Unknown: {missing}._"
# What a report could not be told: see `app.network.report.Unknown`.
UNKNOWNS: Final = {
    "connection": "whether every pod is connected",
    "gateway": "which pod is the gateway",
    "health": "how good every link is",
    "device_count": "how many devices there are",
    "service_level": "the service level",
    "speed_test": "the last speed test",
    "time_zone": "the time zone",
    "spacing": "how often readings come",
    "download": "the download",
    "upload": "the upload",
    "line_speed": "how fast the line is",
    "gaps": "some of the time",
    "trend": "the trend",
    "signal": "some signal strengths",
    "security": "how some networks are secured",
    "pods": "the pods",
    "wan": "the use of the line",
    "history": "the online history",
    "wifi": "the WiFi networks",
    "devices": "the devices",
    "speed_tests": "earlier speed tests",
    "outages": "outages",
    "reboots": "reboots",
}

STATUS_TITLES: Final = {
    "online": "🟢 **Online, all is well**",
    "degraded": "🟡 **Online, but something needs a look**",
    "offline": "🔴 **Offline**",
    "no_equipment": "⚪ **No equipment installed yet**",
    "unknown": "❔ **Nobody can tell right now**",
}
STATUS_MAJOR = "🟠 **Online, but a part is down**"
CAUSES: Final = {
    "gateway_disconnected": "The gateway {pod} is not connected{since}: check its power and line.",
    "all_disconnected": "All {count} pods are not connected{since}.",
    "pod_disconnected": "{pod} is not connected{since}.",
    "service_none": "The service is switched off, so there is no WiFi. Ask about the account.",
    "service_basic": "The service level is basic: adaptive WiFi and security are off.",
    "service_other": "The service level is {reading}.",
    "health_poor": "{pod} has a poor link to the next pod: move it closer.",
    "health_fair": "{pod} has only a fair link to the next pod.",
    "alert": "{pod} reports {reading}.",
}
NO_EQUIPMENT = "No pod is claimed for this location, so there is nothing to measure."
SERVICE: Final = {
    "full": "full",
    "basic": "basic (adaptive WiFi and security are off)",
    "none": "switched off",
    "unknown": "unknown",
}
SERVICE_LINE = "**Service:** {level}"
PODS_HEAD = "**Pods:** {connected} of {total} connected"
POD_UP = "{icon} {pod}{role}: online{health}{backhaul}{devices}"
POD_DOWN = "🔴 {pod}{role}: disconnected{since}"
POD_UNKNOWN = "❔ {pod}{role}: unknown"
POD_ALERT = "⚠️ {alert}"
ROLES: Final = {"gateway": " (gateway)", "pod": "", "unknown": ""}
HEALTH = ", {grade} link"
HEALTH_WORD = ", link: {word}"
BACKHAULS: Final = {"mesh": "Mesh", "ethernet": "Ethernet"}
MORE_PODS = "… and {count} more: `/nodes`"
SPEED_LINE = "**Speed test:** ↓ {down}, ↑ {up}, {latency} ms, {age}"
SPEED_FAILED = "**Speed test:** the last one did not succeed ({age})"
SPEED_RUNNING = "**Speed test:** one is running"
SPEED_NONE = "**Speed test:** none is known"
DEVICES_LINE = "**Devices:** {count} connected"
DEVICES_PART = "**Devices:** at least {count} connected"

WAN_TITLE = "📈 **Internet use, the last 24 hours**"
WAN_NONE = "Plume has no readings of the line for the last day. That says nothing about the line."
WAN_DOWN, WAN_UP = "⬇️ **Download**", "⬆️ **Upload**"
WAN_PEAK = "- Peak: **{peak}** at {time}"
WAN_AVERAGE = "- Average: {average}"
WAN_P95 = "- 95 % of the time the peaks stay under {p95}"
WAN_TOTAL = "- Total: {total}"
WAN_LINE = "- Line: the last speed test gave {line}; the peak is {share} of it"
WAN_FULL: Final = {
    "full": "- The line was **full** at its busiest",
    "busy": "- The line was nearly full at its busiest",
    "free": "",
}
WAN_BUSY_HEAD = "⏰ **Busiest hours**"
WAN_BUSY = "- {start} to {end}: {mean} {way} ({level})"
WAN_WAYS: Final = {"down": "down", "up": "up"}
BUSY_LEVELS: Final = {"high": "high", "moderate": "moderate"}
DATA = "📊 **Data:** {read} of {expected} readings, {verdict}"
DATA_SOME = "📊 **Data:** {read} readings, {verdict}"
QUALITIES: Final = {
    "excellent": "complete",
    "good": "nearly complete",
    "poor": "incomplete: take the figures with care",
    "none": "too few to say more",
}
DATA_SPAN = "From {first} to {last}."
GAPS = "No readings: {gaps}."
GAPS_MORE = " and {count} more"
WAN_ALT = "Download and upload of {name} over the last 24 hours."

STATS_TITLES: Final = {
    "3h": "📶 **Online history, the last 3 hours**",
    "24h": "📶 **Online history, the last 24 hours**",
    "7d": "📶 **Online history, the last 7 days**",
}
STATS_NONE = "Plume has no readings for this time. That does not mean that it was offline."
STATS_UPTIME = "{icon} **{uptime} online**, {label}"
STATS_ICONS: Final = {
    "excellent": "✅",
    "good": "✅",
    "fair": "🟡",
    "poor": "🟠",
    "critical": "🔴",
}
STATS_LABELS: Final = {
    "excellent": "excellent",
    "good": "good",
    "fair": "fair",
    "poor": "poor",
    "critical": "critical",
}
STATS_SPLIT = "🟢 online {online}, 🟡 unsteady {intermittent}, 🔴 offline {offline}"
STATS_TRENDS: Final = {
    "improving": "↗️ It is getting better.",
    "declining": "↘️ It is getting worse.",
    "stable": "➡️ It is stable.",
}
STATS_INCIDENTS = "**{count}**"
STATS_NO_INCIDENTS = "No incident in this time."
STATS_INCIDENT = "- {kind} {start} for {lasting}{open}"
STATS_KINDS: Final = {
    "offline": "🔴 offline from",
    "intermittent": "🟡 unsteady from",
    "mixed": "🟠 offline and unsteady from",
}
STATS_ONGOING = ", still so"
STATS_CUT = ", or longer"
MORE_INCIDENTS = "- … and {count} earlier ones"
STATS_BUTTONS: Final = {"3h": "3 hours", "24h": "24 hours", "7d": "7 days"}
STATS_USE = "Say how far back: `/stats 3h`, `/stats 24h` or `/stats 7d`."
NOW_ONLINE: Final = {True: "Right now it is online.", False: "Right now it is **not online**."}
