from dataclasses import replace

from app import texts
from app.commands.base import Call, Command, Outcome, Services
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
        if not call.words:
            text = texts.MODEL_CHOOSE.format(model=catalogue.label(call.model))
            return Outcome(Reply(response=text, buttons=_choices(call, catalogue)))
        chosen = catalogue.resolve(call.words, among)
        if chosen is None:
            near = [texts.code(name) for name in catalogue.suggest(call.words, among)]
            text = texts.MODEL_UNKNOWN.format(
                name=texts.code(call.words),
                near=texts.MODEL_NEAR.format(names=" or ".join(near)) if near else "",
            )
            reply = Reply(
                response=text,
                success=False,
                error="model_unknown",
                buttons=_choices(call, catalogue),
            )
            return Outcome(reply)
        if chosen == call.model:
            return Outcome(Reply(response=texts.MODEL_SAME.format(model=catalogue.label(chosen))))
        return Outcome(
            Reply(response=_chosen(chosen, catalogue)), profile=replace(call.profile, model=chosen)
        )


class Models(Command):
    name = "models"
    summary = "list the models, with short names and abilities"
    refusal = texts.MODEL_FIXED

    async def run(self, call: Call, services: Services) -> Outcome:
        lines = [_line(model, call, services.catalogue) for model in call.platform.models]
        text = f"{texts.MODELS_HEAD}\n\n" + "\n".join(lines) + texts.MODELS_HINT
        return Outcome(Reply(response=text))


def _choices(call: Call, catalogue: Catalogue) -> tuple[tuple[Button, ...], ...]:
    buttons = [
        Button(
            label=(texts.MODELS_NOW if model == call.model else "") + catalogue.label(model),
            send=f"/model {model}",
        )
        for model in call.platform.models
        if not catalogue.is_gone(model) or catalogue.replacement_for(model) is not None
    ]
    return tuple(tuple(buttons[i : i + IN_A_ROW]) for i in range(0, len(buttons), IN_A_ROW))


def _chosen(model: str, catalogue: Catalogue) -> str:
    replacement = catalogue.replacement_for(model)
    if catalogue.is_gone(model) and replacement is not None:
        return texts.MODEL_SET_GONE.format(
            model=catalogue.label(model), replacement=catalogue.label(replacement.model)
        )
    return texts.MODEL_SET.format(model=catalogue.label(model))


def _line(model: str, call: Call, catalogue: Catalogue) -> str:
    card = catalogue.card(model)
    abilities = [
        word for able, word in ((card.vision, texts.SEES), (card.tools, texts.USES_TOOLS)) if able
    ]
    aliases = catalogue.aliases_of(model)
    gone = ""
    if catalogue.is_gone(model):
        replacement = catalogue.replacement_for(model)
        gone = (
            texts.MODELS_LOST
            if replacement is None
            else texts.MODELS_GONE.format(replacement=catalogue.label(replacement.model))
        )
    return texts.MODELS_LINE.format(
        mark=texts.MODELS_NOW if model == call.model else "",
        label=catalogue.label(model),
        model=model,
        aliases=texts.MODELS_ALIASES.format(names=", ".join(aliases)) if aliases else "",
        abilities=f" ({', '.join(abilities)})" if abilities else "",
        gone=gone,
    )
