"""Users' own keys and URLs. HTTP events; reads configuration, writes and deletes users' keys."""

from mangum import Mangum

from waystation.account.routes import build_router
from waystation.bootstrap.on_aws import start
from waystation.lambda_runtime.events import EVENT_HANDLERS
from waystation.web.api import create_api

runtime = start(keeps_user_keys=True)
app = create_api(runtime, routers=[build_router(runtime)], open_routers=[])
handler = Mangum(app, lifespan="off", custom_handlers=EVENT_HANDLERS)
