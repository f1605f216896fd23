"""A small app with one of everything, for tests that start the host as a process."""

from __future__ import annotations

import json

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
seen: list[str] = []


@app.event_grid_trigger(arg_name="event")
@app.queue_output(arg_name="work", queue_name="%WORK_QUEUE%", connection="AzureWebJobsStorage")
async def take_event(event: str, work: func.Out[str]) -> None:
    """Pass an event's subject on."""
    work.set(json.loads(event)["subject"])


@app.queue_trigger(arg_name="message", queue_name="%WORK_QUEUE%", connection="AzureWebJobsStorage")
async def do_work(message: func.QueueMessage) -> None:
    """Note a message; one kind always fails."""
    text = message.get_body().decode()
    seen.append(text)
    if text == "bad":
        raise ValueError("cannot do that")


@app.timer_trigger(arg_name="timer", schedule="%TICK%", run_on_startup=True)
def tick(timer: func.TimerRequest) -> None:
    """Note a tick."""
    seen.append("late tick" if timer.past_due else "tick")


@app.route(route="seen", methods=["GET"])
def get_seen(req: func.HttpRequest) -> func.HttpResponse:
    """Return what was noted."""
    return func.HttpResponse(json.dumps(seen), mimetype="application/json", headers={"x-asked": req.url})
