"""Everything that is expected to fail.

    AppError
    ├── BadRequest            the caller has to send something else
    │   ├── InvalidJson           400
    │   ├── InvalidBody           422   ├── EmptyMessage, UrlNotSupported, MessageIdReused
    │   ├── BodyTooLarge          413   └── TextTooLong
    │   ├── UnsupportedMedia      415
    │   ├── InvalidCredentials    422
    │   └── ImageRefused          413, 415 or 422
    ├── NotAuthenticated      401
    ├── Forbidden             403       └── PlatformNotAllowed
    ├── NotFound              404
    ├── InProgress            409
    ├── TooLate               409
    ├── TooMany               429       ├── TooManyMessages, TooManyLogins, TooManyRequests
    │                                   └── ConversationBusy
    ├── StorageUnavailable    503
    ├── NotReady              503       └── Stopping
    ├── ModelError            the AI provider
    │   ├── ModelUnreachable      503
    │   ├── ModelTimeout          504
    │   ├── ModelBusy             503, says how long to wait
    │   ├── ModelInterrupted      502, it had begun to answer
    │   ├── ModelBadReply         502
    │   ├── ModelEmpty            502
    │   ├── ModelMisconfigured    503, the operator must act
    │   ├── ModelOutOfCredit      503, the operator must act
    │   ├── SpendLimitReached     503, our own limit; says how long to wait
    │   │   └── SpendHeld             or only until open answers are done
    │   ├── ModelGone             409
    │   ├── ModelBlind            422, it takes no pictures
    │   └── ContextTooLong        413
    ├── PlumeError            Plume Cloud
    │   ├── PlumeUnreachable      503
    │   ├── PlumeTimeout          504
    │   ├── PlumeBusy             503, says how long to wait
    │   ├── PlumeBadReply         502, nothing is known then, least of all "offline"
    │   ├── PlumeSignInRefused    409, the credentials are no longer taken
    │   │   └── LentSignInRefused         and are somebody else's
    │   ├── PlumeNotYours         404, or there is no such customer
    │   ├── PlumeNotFound         404, the selection is stale
    │   └── PlumeNotOffered       409, not for this location
    ├── NotConnected          409, nobody has signed in to Plume here
    │   └── CredentialsLost       409, the key that opens them is gone
    └── NothingSelected       409, no location is chosen

An error is raised at the edge that saw it and shown at the edge that talks. Its text is a
sentence a person can act on: no token, no URL, no text of a foreign exception.
"""

from http import HTTPStatus
from typing import ClassVar


class AppError(Exception):
    """An expected failure.

    `retry_after` is the number of seconds to wait, None where waiting does not help.
    `cause` is a word for the log and the metrics: it never reaches a person.
    """

    status: ClassVar[int] = HTTPStatus.INTERNAL_SERVER_ERROR
    code: ClassVar[str] = "internal"
    sentence: ClassVar[str] = "Something went wrong here. It has been noted; try again."
    retryable: ClassVar[bool] = False

    def __init__(
        self, sentence: str | None = None, *, retry_after: float | None = None, cause: str = ""
    ) -> None:
        super().__init__(sentence or self.sentence)
        self.retry_after = retry_after
        self.cause = cause or self.code


class BadRequest(AppError):
    status = HTTPStatus.BAD_REQUEST
    code = "bad_request"
    sentence = "This request cannot be read."


class InvalidJson(BadRequest):
    code = "invalid_json"


class UnsupportedMedia(BadRequest):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_media_type"
    sentence = "Send the body as `Content-Type: application/json`, UTF-8, not compressed."


class BodyTooLarge(BadRequest):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "body_too_large"


class InvalidBody(BadRequest):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid_body"


class EmptyMessage(InvalidBody):
    code = "empty_message"
    sentence = "There is nothing in this message. Send a text or a picture."


class UrlNotSupported(InvalidBody):
    code = "url_not_supported"
    sentence = "Pictures are taken as base64 in `data` only, not as a URL or file id."


class MessageIdReused(InvalidBody):
    code = "message_id_reused"
    sentence = "This message_id was used in this chat for another message. Send a new id."


class TextTooLong(BodyTooLarge):
    code = "text_too_long"


class InvalidCredentials(BadRequest):
    """What was pasted cannot be a sign-in to Plume. The sentence holds nothing of it."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid_credentials"


class ImageRefused(BadRequest):
    """A picture that cannot be taken.

    `kind` ends the code: `image_invalid`, `image_too_large`, `image_unsupported`.
    """

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "image_invalid"


class ImageTooLarge(ImageRefused):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "image_too_large"


class ImageUnsupported(ImageRefused):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "image_unsupported"


class NotAuthenticated(AppError):
    status = HTTPStatus.UNAUTHORIZED
    code = "not_authenticated"
    sentence = "A valid key is needed: send `Authorization: Bearer <key>`."


class Forbidden(AppError):
    status = HTTPStatus.FORBIDDEN
    code = "forbidden"
    sentence = "This key may not do that. It needs the admin key."


class PlatformNotAllowed(Forbidden):
    code = "platform_not_allowed"
    sentence = "This key belongs to another platform. Name the platform of your key."


class NotFound(AppError):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"
    sentence = "There is nothing here."


class InProgress(AppError):
    status = HTTPStatus.CONFLICT
    code = "in_progress"
    sentence = "This message is still being answered. Ask again in a moment."


class TooLate(AppError):
    status = HTTPStatus.CONFLICT
    code = "delivery_ended"
    sentence = "This delivery has ended before. Drop it."


class TooMany(AppError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "rate_limited"
    retryable = True


class TooManyMessages(TooMany):
    pass


class TooManyRequests(TooMany):
    sentence = "Too many requests from this address. Wait a moment."


class TooManyLogins(TooMany):
    code = "too_many_logins"
    sentence = "Too many requests without a valid key from this address. Wait a minute."


class ConversationBusy(TooMany):
    code = "busy"
    sentence = "Several messages of this conversation are still waiting. Wait for an answer."


class StorageUnavailable(AppError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "storage_unavailable"
    sentence = "Messages cannot be kept right now, so none is taken. Try again in a moment."
    retryable = True


class NotReady(AppError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "not_ready"
    sentence = "The service is starting, stopping or without its storage. Try again."
    retryable = True


class Stopping(NotReady):
    code = "stopping"
    sentence = "The service is being restarted. Nothing was kept of this request; send it again."


class ModelError(AppError):
    """The AI provider did not answer as it should."""

    status = HTTPStatus.BAD_GATEWAY
    code = "llm_failed"


class ModelUnreachable(ModelError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "llm_unreachable"
    sentence = "The AI service cannot be reached. Try again in a moment."
    retryable = True


class ModelTimeout(ModelError):
    status = HTTPStatus.GATEWAY_TIMEOUT
    code = "llm_timeout"
    sentence = "The AI service took too long. Try again, or choose another model with /model."
    retryable = True


class ModelBusy(ModelError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "llm_busy"
    sentence = "The AI service is busy. Try again later, or choose another model with /model."
    retryable = True


class ModelInterrupted(ModelError):
    code = "llm_interrupted"
    sentence = "The AI service broke off in the middle of its answer. Try again."
    retryable = True


class ModelBadReply(ModelError):
    code = "llm_bad_reply"
    sentence = "The AI service gave an answer that cannot be read. Try again."
    retryable = True


class ModelEmpty(ModelError):
    code = "llm_empty"
    sentence = "The model returned nothing. Try again, or choose another model with /model."
    retryable = True


class ModelMisconfigured(ModelError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "llm_config"
    sentence = "AI answers are off: a setting is wrong. The operator has to mend it."


class ModelOutOfCredit(ModelError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "llm_budget"
    sentence = "AI answers are paused: the credit is used up. The operator has to renew it."


class SpendLimitReached(ModelError):
    """Answering could cost more than is left of DAILY_SPEND_LIMIT_USD."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "spend_limit_reached"


class SpendHeld(SpendLimitReached):
    """There is room for it, once other answers turn out to be cheaper than they might be."""

    sentence = "Too many answers are being written for what is left for today. Try again soon."
    retryable = True


class ModelGone(ModelError):
    status = HTTPStatus.CONFLICT
    code = "model_unavailable"
    sentence = "This model is no longer available. Choose another one with /models."


class ModelBlind(ModelError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "model_cannot_see"
    sentence = "This model takes no pictures. Choose another one with /models."


class ContextTooLong(ModelError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "context_too_long"
    sentence = "This is more than the model can read at once. Send less, or use /clear."


class PlumeError(AppError):
    """Plume Cloud did not answer as it should."""

    status = HTTPStatus.BAD_GATEWAY
    code = "plume_failed"
    sentence = "Plume refused this request. Try again; if it stays so, tell the operator."


class PlumeUnreachable(PlumeError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "plume_unreachable"
    sentence = "Plume Cloud cannot be reached, so nothing is known right now. Try again soon."
    retryable = True


class PlumeTimeout(PlumeError):
    status = HTTPStatus.GATEWAY_TIMEOUT
    code = "plume_timeout"
    sentence = "Plume Cloud took too long, so nothing is known right now. Try again soon."
    retryable = True


class PlumeBusy(PlumeError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "plume_busy"
    sentence = "Plume Cloud asked us to slow down. Try again in a few minutes."
    retryable = True


class PlumeBadReply(PlumeError):
    code = "plume_bad_reply"
    sentence = "Plume Cloud gave an answer that cannot be read, so nothing is known. Try again."
    retryable = True


class PlumeSignInRefused(PlumeError):
    status = HTTPStatus.CONFLICT
    code = "plume_sign_in_refused"
    sentence = "Plume no longer takes these credentials. Sign in again with /setup."


class LentSignInRefused(PlumeSignInRefused):
    """They are somebody else's, who alone can sign in again; then asking again helps."""

    sentence = (
        "Plume no longer takes the sign-in that you look through. Ask whoever lets you look to "
        "sign in again."
    )
    retryable = True


class PlumeNotYours(PlumeError):
    status = HTTPStatus.NOT_FOUND
    code = "plume_not_yours"
    sentence = "Plume knows no such customer, or it belongs to another partner. See /locations."


class PlumeNotFound(PlumeError):
    status = HTTPStatus.NOT_FOUND
    code = "plume_not_found"
    sentence = "Plume no longer knows this location. Choose again with /locations."


class PlumeNotOffered(PlumeError):
    status = HTTPStatus.CONFLICT
    code = "plume_not_offered"
    sentence = "Plume does not offer this for the location."


class NotConnected(AppError):
    status = HTTPStatus.CONFLICT
    code = "not_connected"
    sentence = "You are not signed in to Plume. Sign in with /setup."


class CredentialsLost(NotConnected):
    code = "credentials_lost"
    sentence = "Your Plume sign-in cannot be opened any more. Sign in again with /setup."


class NothingSelected(AppError):
    status = HTTPStatus.CONFLICT
    code = "nothing_selected"
    sentence = "No location is chosen yet. Choose one with /locations."
