"""Chats. HTTP events of API Gateway and function URLs; asks upstreams, writes the ledger."""

from mangum import Mangum

from waystation.bootstrap import start
from waystation.chat.routes import chat_completions
from waystation.web.app import PostRoute, create_app
from waystation.web.lambda_events import EVENT_HANDLERS

runtime = start()
app = create_app([PostRoute("/v1/chat/completions", chat_completions(runtime))], runtime)
handler = Mangum(app, lifespan="off", custom_handlers=EVENT_HANDLERS)
