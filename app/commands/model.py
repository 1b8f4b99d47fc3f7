from dataclasses import replace

from app import texts
from app.commands.base import Call, Command, Outcome, Services, may_choose
from app.llm.catalogue import Catalogue
from wire.reply import Button, Reply

IN_A_ROW = 2


class Model(Command):
    name = "model"
    usage = "[name]"
    summary = "choose the model that answers you"
    refusal = texts.MODEL_FIXED

    async def run(self, call: Call, services: Services) -> Outcome:
        catalogue, among = services.catalogue, call.platform.models
        if not call.platform.model_switching:
            return Outcome(Reply(response=f"{_now(call.model, catalogue)} {texts.MODEL_FIXED}"))
        if not call.words:
            text = texts.MODEL_CHOOSE.format(now=_now(call.model, catalogue))
            return Outcome(Reply(response=text, buttons=_choices(call, catalogue)))
        chosen = catalogue.resolve(call.words, among)
        if chosen is None:
            return _refused(_unknown(call, catalogue), "model_unknown", call, catalogue)
        if _is_lost(chosen, catalogue):
            text = texts.MODEL_LOST.format(model=label(chosen, catalogue))
            return _refused(text, "model_unavailable", call, catalogue)
        if catalogue.is_gone(chosen):
            text = _now(chosen, catalogue)
        else:
            same = chosen == call.model
            text = (texts.MODEL_SAME if same else texts.MODEL_SET).format(
                model=label(chosen, catalogue)
            )
        return Outcome(Reply(response=text), profile=replace(call.profile, model=chosen))


class Models(Command):
    name = "models"
    summary = "list the models, with short names and abilities"
    refusal = texts.MODEL_FIXED

    async def run(self, call: Call, services: Services) -> Outcome:
        lines = [_line(model, call, services.catalogue) for model in call.platform.models]
        text = f"{texts.MODELS_HEAD}\n\n" + "\n".join(lines)
        if not may_choose(call.platform):
            return Outcome(Reply(response=text))
        button = Button(label=texts.MODELS_BUTTON, send="/model")
        return Outcome(Reply(response=text + texts.MODELS_HINT, buttons=((button,),)))


def label(model: str, catalogue: Catalogue) -> str:
    """Return the name for people, safe within Markdown: some names are the provider's."""
    return texts.plain(catalogue.label(model))


def _is_lost(model: str, catalogue: Catalogue) -> bool:
    return catalogue.is_gone(model) and catalogue.replacement_for(model) is None


def _now(model: str, catalogue: Catalogue) -> str:
    if _is_lost(model, catalogue):
        return texts.MODEL_NOW_LOST.format(model=label(model, catalogue))
    if not catalogue.is_gone(model):
        return texts.MODEL_NOW.format(model=label(model, catalogue))
    replacement = label(catalogue.serving(model), catalogue)
    return texts.MODEL_NOW_GONE.format(model=label(model, catalogue), replacement=replacement)


def _unknown(call: Call, catalogue: Catalogue) -> str:
    near = [texts.code(name) for name in catalogue.suggest(call.words, call.platform.models)]
    hint = texts.MODEL_NEAR.format(names=" or ".join(near)) if near else texts.MODEL_UNKNOWN_HINT
    return texts.MODEL_UNKNOWN.format(name=texts.code(call.words), near=hint)


def _refused(text: str, error: str, call: Call, catalogue: Catalogue) -> Outcome:
    buttons = _choices(call, catalogue)
    return Outcome(Reply(response=text, success=False, error=error, buttons=buttons))


def _choices(call: Call, catalogue: Catalogue) -> tuple[tuple[Button, ...], ...]:
    buttons = [
        Button(
            label=(texts.MODELS_NOW if model == call.model else "") + catalogue.label(model),
            send=f"/model {model}",
        )
        for model in call.platform.models
        if not _is_lost(model, catalogue)
    ]
    return tuple(tuple(buttons[i : i + IN_A_ROW]) for i in range(0, len(buttons), IN_A_ROW))


def _line(model: str, call: Call, catalogue: Catalogue) -> str:
    card = catalogue.card(model)
    abilities = [
        word for able, word in ((card.vision, texts.SEES), (card.tools, texts.USES_TOOLS)) if able
    ]
    aliases = ", ".join(texts.code(alias) for alias in catalogue.aliases_of(model))
    gone = ""
    if _is_lost(model, catalogue):
        gone = texts.MODELS_LOST
    elif catalogue.is_gone(model):
        gone = texts.MODELS_GONE.format(replacement=label(catalogue.serving(model), catalogue))
    return texts.MODELS_LINE.format(
        mark=texts.MODELS_NOW if model == call.model else "",
        label=label(model, catalogue),
        model=texts.code(model, most=len(model)),
        aliases=texts.MODELS_ALIASES.format(names=aliases) if aliases else "",
        abilities=f" ({', '.join(abilities)})" if abilities else "",
        gone=gone,
    )
