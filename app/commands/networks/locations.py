from collections.abc import Sequence
from dataclasses import replace

from app import texts, words
from app.commands.base import Asking, Call, Outcome, Services
from app.commands.networks.base import (
    NetworkCommand,
    button,
    counted,
    customer_name,
    elsewhere,
    failure,
    location_name,
    place_name,
    refusal,
    rows,
)
from app.commands.networks.paging import PER_PAGE, asked, paged
from app.errors import NotConnected, PlumeError
from app.panoptes.access import Sight
from app.panoptes.finding import HEX_ID, MOST_HITS, Hit, find
from app.panoptes.panoptes import Panoptes
from app.panoptes.sites import Site, site, sites_of
from app.sessions.dialogues import Dialogue
from app.sessions.places import Chosen
from wire.reply import Button, Reply

SEARCH, CUSTOMER = "search", "customer"
STAR, UNSTAR = "star", "unstar"
LONGEST_LABEL = 48  # characters: more does not fit on a phone
NEXT = ("status", "check", "wan", "stats", "nodes", "wifi")


class Locations(NetworkCommand, Asking):
    """`/locations`, `/locations words`, `/locations customer`, `/locations customer location`.

    Of a customer with many, `/locations customer words` shows those whose name has the words.

    The buttons send what a person could type, so that old ones go on working.
    """

    name = "locations"
    usage = "[words]"
    summary = "choose the location that reports are about"

    async def look(self, call: Call, panoptes: Panoptes) -> Outcome:
        sight = await panoptes.access.sight(call.person)
        said = asked(call.words)
        match said.words.split():
            case []:
                return await _recent(sight, panoptes, said.page)
            case [word, location] if word.lower() in {STAR, UNSTAR}:
                return await _mark(call, panoptes, location, favourite=word.lower() == STAR)
            case [customer] if HEX_ID.fullmatch(customer):
                return await self._customer_or_location(sight, panoptes, customer, said.page)
            case [customer, location] if HEX_ID.fullmatch(customer) and HEX_ID.fullmatch(location):
                return await _choose(sight, panoptes, customer.lower(), location.lower())
            case [customer, *part] if HEX_ID.fullmatch(customer):
                hit = Hit(customer.lower())
                return await _of_customer(sight, panoptes, hit, said.page, " ".join(part))
        return await search(self.name, sight, panoptes, said.words, said.page)

    async def hear(self, call: Call, dialogue: Dialogue, services: Services) -> Outcome:
        if services.panoptes is None:
            return refusal(texts.NETWORKS_OFF, "networks_off")
        try:
            inside = await _inside(call, dialogue, services.panoptes)
            return await self.look(inside, services.panoptes)
        except (PlumeError, NotConnected) as error:
            again = call.message.model_copy(update={"text": f"/{self.name} {call.words}"})
            return Outcome(failure(error, replace(call, message=again)))

    def question(self, dialogue: Dialogue) -> str:
        return words.FIND_ASK

    async def _customer_or_location(
        self, sight: Sight, panoptes: Panoptes, number: str, page: int
    ) -> Outcome:
        if sight.scope.customers and number.lower() in sight.scope.customers:
            return await _of_customer(sight, panoptes, Hit(number.lower()), page)
        return await search(self.name, sight, panoptes, number, page)


class Find(Locations):
    name = "find"
    usage = "<words>"
    summary = "find a customer by name, account, e-mail or serial number"


async def search(command: str, sight: Sight, panoptes: Panoptes, said: str, page: int) -> Outcome:
    """Look for what was said; what is found alone is chosen at once."""
    hits = await find(sight, said)
    await panoptes.access.note(sight, "searched")
    if not hits:
        text = words.FIND_NOTHING.format(words=texts.code(said))
        outcome = refusal(text, "nothing_found", ((button("cancel"),),))
        return replace(outcome, dialogue=Dialogue(Locations.name, SEARCH))
    if len(hits) == 1:
        hit = hits[0]
        if hit.location_id is not None:
            return await _choose(sight, panoptes, hit.customer_id, hit.location_id)
        return await _of_customer(sight, panoptes, hit, page)
    text = words.FIND_MANY if len(hits) >= MOST_HITS else words.FIND_HITS
    return Outcome(
        Reply(
            response=text.format(count=len(hits), words=texts.code(said)),
            buttons=paged(hits, page, _hit_button, f"/{command} {said}"),
            actions=("replace",),
        ),
        dialogue=Dialogue(Locations.name, SEARCH),
    )


async def _recent(sight: Sight, panoptes: Panoptes, page: int) -> Outcome:
    known = await panoptes.access.recent(sight)
    shown = paged(known, page, _chosen_button, f"/{Locations.name}")
    reply = Reply(
        response=words.FIND_ASK + (words.FIND_RECENT if known else ""),
        buttons=(*shown, (button("cancel"),)),
    )
    return Outcome(reply, dialogue=Dialogue(Locations.name, SEARCH))


async def _inside(call: Call, dialogue: Dialogue, panoptes: Panoptes) -> Call:
    """Take words as a part of the names that were shown last, where one of them has it."""
    customer = dialogue.known.get(CUSTOMER)
    if customer is None:
        return call
    known = await sites_of(await panoptes.access.sight(call.person), customer)
    if not _named(known, asked(call.words).words):
        return call
    return replace(call, words=f"{customer} {call.words}")


def _named(known: Sequence[Site], part: str) -> list[Site]:
    return [each for each in known if part.casefold() in each.name.casefold()]


async def _of_customer(
    sight: Sight, panoptes: Panoptes, hit: Hit, page: int, part: str = ""
) -> Outcome:
    known = _named(await sites_of(sight, hit.customer_id), part)
    if not hit.customer:
        customer = (await sight.account.customer(hit.customer_id)).value
        hit = replace(hit, customer=customer.name or "", account=customer.account_id or "")
    if len(known) == 1:
        return await _keep(sight, panoptes, hit.customer_id, hit.customer, known[0])
    account = texts.plain(hit.account)
    head = words.CUSTOMER.format(
        customer=customer_name(hit.customer_id, hit.customer),
        account=words.CUSTOMER_ACCOUNT.format(account=account) if account else "",
    )
    back = ((button("locations", label=words.BACK),),)
    send = f"/{Locations.name} {hit.customer_id}"
    if not known and part:
        text = words.LOCATIONS_UNNAMED.format(customer=head, words=texts.code(part))
        every = Button(label=words.ALL_LOCATIONS, send=send)
        return refusal(text, "nothing_found", ((every,), *back))
    if not known:
        return refusal(words.LOCATIONS_NONE.format(customer=head), "no_locations", back)
    text = words.LOCATIONS.format(customer=head, count=counted(len(known), "location"))
    shown = paged(known, page, lambda site: _site_button(site, send), f"{send} {part}".strip())
    return Outcome(
        Reply(
            response=text + (words.LOCATIONS_MANY if len(known) > PER_PAGE else ""),
            buttons=(*shown, *back),
            actions=("replace",),
        ),
        dialogue=Dialogue(Locations.name, SEARCH, {CUSTOMER: hit.customer_id}),
    )


async def _choose(sight: Sight, panoptes: Panoptes, customer: str, location: str) -> Outcome:
    sight.check(customer, location)
    found, owner = await site(sight, customer, location)
    return await _keep(sight, panoptes, customer, owner, found)


async def _keep(
    sight: Sight, panoptes: Panoptes, customer: str, owner: str, found: Site
) -> Outcome:
    place = Chosen(customer, found.id, owner, found.name)
    await panoptes.access.choose(sight, place)
    location, whose = place_name(place)
    star = Button(label=words.STAR, send=f"/{Locations.name} {STAR} {found.id}")
    reply = Reply(
        response=words.CHOSEN.format(location=location, customer=whose),
        buttons=(*rows(*NEXT), (star, elsewhere())),
        actions=("replace",),
    )
    return Outcome(reply, dialogue=None)


async def _mark(call: Call, panoptes: Panoptes, location: str, *, favourite: bool) -> Outcome:
    if not await panoptes.access.mark(call.person, location.lower(), favourite=favourite):
        return refusal(words.STAR_UNKNOWN, "not_chosen", rows("locations"))
    text = words.STARRED if favourite else words.UNSTARRED
    known = await panoptes.access.recent(await panoptes.access.sight(call.person))
    names = {place.location_id: place_name(place)[0] for place in known}
    name = names.get(location.lower()) or location_name(location, "")
    return Outcome(Reply(response=text.format(location=name), buttons=rows("status", "locations")))


def _hit_button(hit: Hit) -> Button:
    name = texts.flat(hit.customer, LONGEST_LABEL) or hit.customer_id
    detail = hit.location or hit.account
    label = f"{name} · {texts.flat(detail, LONGEST_LABEL)}" if detail else name
    where = f" {hit.location_id}" if hit.location_id else ""
    return Button(label=label, send=f"/{Locations.name} {hit.customer_id}{where}")


def _chosen_button(place: Chosen) -> Button:
    star = "★ " if place.favourite else ""
    names = (place.customer or place.customer_id, place.location or place.location_id)
    label = star + " · ".join(texts.flat(name, LONGEST_LABEL) for name in names)
    return Button(label=label, send=f"/{Locations.name} {place.customer_id} {place.location_id}")


def _site_button(found: Site, send: str) -> Button:
    name = texts.flat(found.name, LONGEST_LABEL) or found.id
    return Button(label=f"{words.STATES[found.state]} {name}", send=f"{send} {found.id}")
