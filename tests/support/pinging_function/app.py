"""The chat function, but for its patience with silence: its streams ping after 0.2 seconds."""

from mangum import Mangum

from waystation.bootstrap.on_aws import start
from waystation.chat.messages_routes import create_message
from waystation.chat.routes import chat_completions
from waystation.web.app import PostRoute, create_app

PING_AFTER_S = 0.2

runtime = start()
routes = [
    PostRoute("/v1/chat/completions", chat_completions(runtime), PING_AFTER_S),
    PostRoute("/v1/messages", create_message(runtime), PING_AFTER_S),
]
app = create_app(routes, runtime)
handler = Mangum(app, lifespan="off")
