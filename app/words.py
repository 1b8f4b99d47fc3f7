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
LOCATIONS_MANY = " Press one, or send a part of its name."
LOCATIONS_UNNAMED = "{customer}\n\nNo location here has {words} in its name."
ALL_LOCATIONS = "All locations"
LOCATIONS_NONE = "{customer}\n\nThis customer has no location yet. Look for another."
CHOSEN = "**{location}** of {customer} is chosen. What would you like to see?"
STAR = "★ Favourite"
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

CHANGE_LOCATION = "Change location"
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
    "refresh": "Refresh",
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
NOW = "now"
AND = "{before} and {last}"
SPAN = "{start} to {end}"
LIST_PAGE = "_Page {page} of {last}._"
UNNAMED = "This location"
OF_CUSTOMER = " of {customer}"
OUTDATED = "⚠️ **Plume does not answer.** This is what it said {time} ago."
OUTDATED_BUSY = "⚠️ **Plume is limiting us.** This is what it said {time} ago."
READ_AT = "_Read {time}, {zone}{offset}._"
OFFSET = " ({offset})"
NOT_TOLD = "\n_Unknown: {missing}._"
# What a report could not be told: see `app.network.report.Unknown`.
UNKNOWNS: Final = {
    "connection": "what is connected",
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
    "gaps": "what was where readings are missing",
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
    "reboots": "restarts",
}

STATUS_TITLES: Final = {
    "online": "🟢 **Online, nothing wrong right now**",
    "degraded": "🟡 **Online, but something needs a look**",
    "offline": "🔴 **Offline**",
    "no_equipment": "⚪ **No equipment installed yet**",
    "unknown": "❔ **Nobody can tell right now**",
}
STATUS_PART_DOWN = "🟠 **Online, but a part is down**"
STATUS_MAJOR = "🟠 **Online, but something is wrong**"
STATUS_NO_SERVICE = "🔴 **Online, but the service is switched off**"
CAUSES: Final = {
    "gateway_disconnected": "The gateway {pod} {is_down}: check its power and its line.",
    "all_disconnected": "All {count} pods {are_down}.",
    "pod_disconnected": "{pod} {is_down}.",
    "service_none": "The service is switched off, so there is no WiFi: ask about the account.",
    "service_basic": "The service level is basic: adaptive WiFi and security are off.",
    "service_other": "The service level is {reading}.",
    "health_poor": "{pod} has a poor link to the next pod: move it closer.",
    "health_fair": "{pod} has only a fair link to the next pod.",
    "alert": "{pod} reports {alert}.",
    "on_backup": "The gateway {pod} runs on {backhaul}: check its usual line.",
}
DOWN: Final = {
    "is_down": ("is disconnected", "has been disconnected{since}"),
    "are_down": ("are disconnected", "have been disconnected{since}"),
}
NO_EQUIPMENT = "No pod is claimed for this location, so there is nothing to measure."
SERVICE: Final = {
    "full": "full",
    "basic": "basic (adaptive WiFi and security are off)",
    "none": "switched off",
    "unknown": "unknown",
}
SERVICE_LINE = "**Service:** {level}"
PODS_HEAD = "**Pods:** {connected} of {total} connected{unsure}"
PODS_UNSURE = ", {count} unknown"
PODS_UNKNOWN = "**Pods:** {total}, unknown whether connected"
POD_UP = "{icon} {pod}{role}: online{health}{backhaul}{devices}"
POD_DOWN = "🔴 {pod}{role}: disconnected{since}"
POD_UNKNOWN = "❔ {pod}{role}: unknown whether connected"
POD_ALERT = "⚠️ Alert: {alert}"
ROLES: Final = {"gateway": " (gateway)", "pod": "", "unknown": ""}
HEALTH = ", {grade} link"
HEALTH_WORD = ", link: {word}"
BACKHAULS: Final = {
    "mesh": "Mesh",
    "ethernet": "Ethernet",
    "lte": "LTE backup",
    "moca": "coax cable",
}
MORE_PODS = "… and {count} more, all well: `/nodes`"
MORE_PODS_ILL = "… and {count} more: `/nodes`"
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
WAN_P95 = "- 95 % of the time the peaks reach at most {p95}"
WAN_TOTAL = "- Total: {total}"
WAN_LINE = "- Line: the last speed test gave {line}; the peak is {share} of it"
WAN_SILENT = "⚠️ **No readings{since}.**"
WAN_VERDICTS: Final = {
    "full": "🟠 **The {ways} is full at busy times.**",
    "busy": "🟡 **The {ways} is nearly full at busy times.**",
    "free": "🟢 The line had room to spare.",
}
WAN_BUSY_HEAD = "⏰ **Busiest hours**"
WAN_BUSY = "- {hour}: {mean} {way} ({level})"
WAN_WAYS: Final = {"down": "down", "up": "up"}
WAN_DIRECTIONS: Final = {"down": "download", "up": "upload"}
BUSY_LEVELS: Final = {"high": "far above the average", "moderate": "above the average"}
DATA = "📊 **Data:** {verdict} ({share} of the readings)"
DATA_SOME = "📊 **Data:** {read} readings, {verdict}"
QUALITIES: Final = {
    "excellent": "complete",
    "good": "nearly complete",
    "poor": "incomplete: take the figures with care",
    "none": "too few to say more",
}
DATA_SPAN = "From {first} to {last}."
GAPS = "No readings: {gaps}."
GAPS_MANY = "No readings in {count}, {lasting} in all; the longest {longest}."

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
    "improving": "↗️ Better in the second half of this time.",
    "declining": "↘️ Worse in the second half of this time.",
    "stable": "➡️ The same in both halves of this time.",
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
MORE_INCIDENTS = "- … and {count} earlier ones: `/incidents`"
STATS_BUTTONS: Final = {"3h": "3 hours", "24h": "24 hours", "7d": "7 days"}
STATS_USE = "Say how far back: `/stats 3h`, `/stats 24h` or `/stats 7d`."
NOW_ONLINE: Final = {
    True: "🟢 Right now it is online.",
    False: "🔴 Right now it is **not online**.",
}

# What Plume complains of; a word that is not here is shown as it is.
ALERTS: Final = {
    "poorhealth": "a poor WiFi link",
    "highinterference": "much interference",
}

NODES_TITLE = "📡 **Gateway and pods**"
NODES_NONE = "No pod is installed at this location yet."
NODES_DOWN = "**Not connected:** {pods}"
NODES_UNSURE = "**Unknown whether connected:** {pods}"
NODE_UP = "{icon} {pod}{role}: online{since}{devices}"
NODE_LINK = "- Link{to}: {link}"
NODE_LINE = "- Line: {link}"
NODE_LINE_LAST = "- Last known line: {link}"
NODE_LINK_LAST = "- Last known link{to}: {link}"
NODE_TO = " to {pod}"
NODE_CHANNEL = "channel {channel}"
NODE_MODEL_UNKNOWN = "Model unknown"
NODE_FIRMWARE = "firmware {version}"
NODE_STARTED = "- Last start: {time} ({ago})"
NODE_CHANNELS = "- Channels: {channels}"
NODE_PORTS = "- Cables: {ports}"
NODE_PORT = "{name} {speed}{uplink}"
NODE_NO_CABLES = "none"
NODE_UPLINK = " (to the internet)"
NODE_ADDRESSES: Final = {
    "ip": "IP",
    "wan_ip": "WAN IP",
    "public_ip": "public IP",
    "mac": "MAC",
    "id": "serial",
}
BANDS: Final = {"2.4": "2.4 GHz", "5": "5 GHz", "6": "6 GHz"}

WIFI_TITLE = "🔐 **WiFi networks**"
WIFI_NONE = "There is no WiFi network here yet."
WIFI_OFF = (
    "🔴 **The service is switched off, so no network sends, whatever is set below.** Ask about "
    "the account."
)
WIFI_COUNTS = "{on} of {networks} on"
WIFI_LINE = "{icon} {name}: {state}, {security}{hidden}"
WIFI_ICONS: Final = {"on": "🟢", "off": "⚪", "unknown": "❔"}
WIFI_STATES: Final = {"on": "on", "off": "off", "unknown": "unknown whether on"}
WIFI_UNNAMED = "a network without a name"
WIFI_HIDDEN = ", hidden"
SECURITY: Final = {
    "open": "⚠️ open, no password",
    "wep": "⚠️ WEP, which is broken",
    "wpa": "⚠️ WPA, which is outdated",
    "wpa_wpa2": "⚠️ WPA and WPA2, WPA is outdated",
    "wpa2": "WPA2",
    "wpa2_wpa3": "WPA2 and WPA3",
    "wpa3": "WPA3",
    "enterprise": "WPA Enterprise",
    "unknown": "security unknown",
}
SECURITY_WORD = "security {word}"

DEVICES_TITLE = "📱 **Devices**"
DEVICES_NONE = "No device is known here."
DEVICES_CONNECTED = "**{count} connected**{weak}"
DEVICES_WEAK = ", {count} with a poor signal"
DEVICES_AWAY_COUNT = "{count} known but not connected now: `/devices away`"
DEVICES_UNSURE_COUNT = "{count} unknown whether connected: `/devices away`"
DEVICES_ON = "{pod}: {count}"
DEVICES_NOWHERE = "**On an unknown pod**"
DEVICE_LINE = "{icon} {name}{details}"
DEVICE_UNNAMED = "a device without a name"
DEVICE_SIGNAL = "{grade} signal ({dbm:.0f} dBm)"
DEVICE_LINK = "{grade} link"
DEVICE_MEDIA: Final = {"ethernet": "by cable", "moca": "by coax cable"}
DEVICE_ICONS: Final = {"excellent": "🟢", "good": "🟢", "fair": "🟡", "poor": "🔴"}
DEVICE_ICON, DEVICE_CABLE = "⚪", "🔌"
DEVICES_AWAY_TITLE = "📱 **Devices that are not connected now**"
DEVICES_AWAY_NONE = "Every known device is connected."
DEVICE_AWAY = "⚪ {name}{since}"
DEVICE_UNSURE = "❔ {name}: unknown whether connected"
DEVICES_AWAY = "Not connected"
DEVICES_USE = "`/devices` lists who is connected, `/devices away` who is not."
SIGNAL_KEY = "_🟢 good, 🟡 fair, 🔴 poor signal, ⚪ signal unknown, 🔌 by cable._"

SPEED_TITLE = "🚀 **Speed tests of the line**"
SPEED_NO_DATA = "No speed test is known here."
SPEED_LAST = "**Last:** ↓ **{down}**, ↑ **{up}**{latency}, {time} ({ago})"
SPEED_LATENCY = ", latency {latency:.0f} ms"
SPEED_LAST_FAILED = "🟡 **The last test did not succeed**, {time} ({ago})."
SPEED_LAST_RUNS = "⏳ **A test is running**, since {time}. Its result is here in a minute or two."
SPEED_LAST_OTHER = "The last test says {word}, {time} ({ago})."
SPEED_LAST_UNKNOWN = "The last test is unknown."
SPEED_SLOW = "🟠 The download is far below the usual: {percent} of the median."
SPEED_USUAL_WAY = "✅ That is as usual: {percent} of the median download."
SPEED_OLD = "It is more than two days old."
SPEED_MEDIAN = "**Usual** (median of {tests}, 30 days): ↓ {down}, ↑ {up}"
SPEED_RANGE = "**From lowest to highest:** ↓ {down_worst} to {down_best}, ↑ {up_worst} to {up_best}"
SPEED_TRENDS: Final = {
    "improving": "↗️ The download is getting faster.",
    "declining": "↘️ The download is getting slower.",
    "stable": "➡️ The download is stable.",
}
SPEED_TESTS_HEAD = "**The latest tests**"
SPEED_TEST = "- {time}: ↓ {down}, ↑ {up}"
SPEED_FAILED_HEAD = "**Not succeeded:** {count}, {times}"
SPEED_MORE_FAILED = " and {count} before"
TEST_BUTTON = "New test"
TEST_ASK = (
    "A new speed test measures the line of {location}. It fills the line for "
    "about a minute: calls and films there may stutter. Start?"
)
TEST_START = "Start the test"
TEST_STARTED = (
    "The test of {location} has started. It takes about a minute; then `/speed` shows the result."
)
TEST_RESULT = "See the result"
TEST_UNSURE = (
    "{reason} The test may run nevertheless: look at `/speed` in two minutes before you start "
    "another one."
)
TEST_ELSEWHERE = "Another location is chosen meanwhile, so nothing was started. Ask anew."
TEST_HINDERED: Final = {
    "granted": (
        "You look through a colleague's sign-in, which changes nothing. Whoever lets you look "
        "can start a test."
    ),
    "service_off": "The service is switched off here, so the line cannot be tested.",
    "not_offered": "Plume offers no speed tests for this location.",
    "no_gateway": "Nobody knows which pod is the gateway here, and only that can test the line.",
    "gateway_down": "The gateway is not connected, so the line cannot be tested.",
}
SPEED_USE = "`/speed` shows the tests, `/speed test` starts a new one."

INCIDENTS_TITLE = "⚡ **Incidents, the last 7 days**"
INCIDENTS_NONE = "✅ No outage, no unsteady time and no restart is known."
INCIDENTS_NONE_KNOWN = "Nothing was found in what could be read; see below what is missing."
INCIDENTS_OUTAGES = "🔴 **{count}**, {lasting} in all"
INCIDENTS_UNSTEADY = "🟡 {count}"
INCIDENTS_REBOOTS = "🔄 {count}"
INCIDENTS_MANY = "⚠️ {pod} restarted {count} times: check its power supply."
EVENTS: Final = {
    "outage": "🔴 {start}: offline for {lasting}{open}{reason}",
    "intermittent": "🟡 {start}: unsteady for {lasting}{open}",
    "reboot": "🔄 {start}: {pod} restarted{reason}",
}
REASONS: Final = {
    "power": "power was lost",
    "firmware": "firmware update",
    "request": "on request",
    "crash": "it crashed",
}
REASON_OUTAGE = ", the gateway restarted then"
REASON = " ({reason})"

CHECK_TITLES: Final = {
    "critical": "🔴 **Check: a serious problem**",
    "major": "🟠 **Check: a problem**",
    "minor": "🟡 **Check: small things only**",
    "none": "🟢 **Check: nothing wrong**",
    "unknown": "❔ **Check: nobody can tell right now**",
}
CHECK_CAUSE, CHECK_FIRST = "**Likely cause**", "**Look at this first**"
CHECK_NOW = "{finding} (now)."
CHECK_ALSO = "**Also found**"
CHECK_NOTHING = "Nothing wrong was found in all that was read."
CHECK_NOTHING_PART = "Nothing wrong was found in what is known; see below what is not."
CHECK_FINE = "✅ **Nothing unusual:** {areas}"
CHECK_UNREAD = "❔ **Nothing known:** {areas}"
SEVERITIES: Final = {"critical": "🔴", "major": "🟠", "minor": "🟡", "none": "🟢"}
AREAS: Final = {
    "status": "gateway and pods",
    "wan": "use of the line",
    "stats": "online history",
    "wifi": "WiFi networks",
    "devices": "devices",
    "speed": "speed tests",
    "incidents": "incidents",
}
FINDINGS: Final = {
    "no_equipment": "No pod is installed at this location yet ({now}).",
    "outages": "{count_outages} in the last 7 days, {lasting} in all (the latest {time}).",
    "outage_ongoing": "The line is down since {time} ({lasting}).",
    "wifi_off_one": "The only WiFi network is switched off ({now}).",
    "wifi_off": "All WiFi networks ({count}) are switched off ({now}).",
    "reboots_many": "{pod} restarted {count} times in 7 days, the last time {time}{reason}.",
    "line_full": (
        "The {way} is full: its peaks reach {p95} often, {percent} of the line "
        "(the highest {time})."
    ),
    "line_busy": (
        "The {way} is nearly full: its peaks reach {p95} often, {percent} of the line "
        "(the highest {time})."
    ),
    "line_busy_once": (
        "The {way} was nearly full at its busiest: {percent} of the line (the highest {time})."
    ),
    "speed_slow": "The last speed test was slow: ↓ {down}, {percent} of the usual ({time}).",
    "speed_test_failed": "The last speed test did not succeed ({time}).",
    "uptime_low": (
        "It was online for {percent} of the last 7 days, with {incidents} (the latest {time})."
    ),
    "uptime_low_none": "It was online for {percent} of the last 7 days.",
    "uptime_declining": "It was online less and less in the last 7 days: {percent} ({time}).",
    "devices_weak_one": "1 device has a poor signal{worst} ({now}).",
    "devices_weak": "{count} devices have a poor signal{worst} ({now}).",
    "devices_worst": ", the worst {dbm:.0f} dBm",
    "wifi_weak_one": "1 WiFi network is open or allows outdated security ({now}).",
    "wifi_weak": "{count} WiFi networks are open or allow outdated security ({now}).",
}
