"""Lists of models and endpoints, and health. HTTP events; asks upstreams for their lists.

Reads the configuration and keys, and writes the prices that lists tell to the table.
"""

from mangum import Mangum

from waystation.bootstrap.on_aws import start
from waystation.lambda_runtime.events import EVENT_HANDLERS
from waystation.models.routes import build_health_router, build_router
from waystation.web.api import create_api

runtime = start()
app = create_api(
    runtime, routers=[build_router(runtime)], open_routers=[build_health_router(runtime)]
)
handler = Mangum(app, lifespan="off", custom_handlers=EVENT_HANDLERS)
