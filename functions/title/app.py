"""Titles of conversations. HTTP events, and the jobs that the chat function sends.

Asks upstreams, writes titles and the ledger.
"""

from mangum import Mangum

from waystation.bootstrap.on_aws import start
from waystation.lambda_runtime.events import EVENT_HANDLERS
from waystation.titles.jobs import TITLE_S, title_job_runner
from waystation.titles.routes import build_router
from waystation.web.api import create_api
from waystation.web.lambda_jobs import handle_jobs
from waystation.wire.title_job import is_title_job

runtime = start()
app = create_api(runtime, routers=[build_router(runtime)], open_routers=[])
handler = handle_jobs(
    Mangum(app, lifespan="off", custom_handlers=EVENT_HANDLERS),
    is_job=is_title_job,
    run=title_job_runner(runtime),
    within_s=TITLE_S,
)
