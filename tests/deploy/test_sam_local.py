"""What `sam local start-api` makes of the template; `sam_local_api` calls it, where Docker is."""

import json
import subprocess

from tests.support.template import EVENTS, ROOT
from waystation_cli.deployment import SAM

AS_SAM_LOCAL_READS = """
import json
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
stacks, _ = SamLocalStackProvider.get_stacks("template.yaml")
routes = ApiProvider(stacks, cwd=".").api.routes
print(json.dumps([[method, route.path] for route in routes for method in route.methods]))
"""
ALL = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]


def test_every_route_is_served():
    python = ROOT / SAM.with_name("python")
    command = [str(python), "-c", AS_SAM_LOCAL_READS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    served = sorted(map(tuple, json.loads(done.stdout)))
    assert served == sorted(
        (verb, path)
        for method, path in EVENTS
        for verb in (ALL if method == "any" else [method.upper()])
    )
