"""Chats, by OpenAI's API and Anthropic's. HTTP events of API Gateway and function URLs.

Asks upstreams, writes the ledger.
"""

from mangum import Mangum

from waystation.bootstrap.on_aws import start
from waystation.chat.messages_routes import count_message_tokens, create_message
from waystation.chat.routes import chat_completions
from waystation.lambda_runtime.events import EVENT_HANDLERS
from waystation.web.app import PostRoute, create_app

runtime = start()
routes = [
    PostRoute("/v1/chat/completions", chat_completions(runtime)),
    PostRoute("/v1/messages", create_message(runtime)),
    PostRoute("/v1/messages/count_tokens", count_message_tokens(runtime)),
]
app = create_app(routes, runtime)
handler = Mangum(app, lifespan="off", custom_handlers=EVENT_HANDLERS)
