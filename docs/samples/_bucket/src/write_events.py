"""Write a decreasing loss as TensorBoard event files."""

import argparse

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from modelarts.session import Session

parser = argparse.ArgumentParser()
parser.add_argument("--train_url")
arguments, _ = parser.parse_known_args()

writer = EventFileWriter("events")
for step in range(10):
    summary = Summary(value=[Summary.Value(tag="loss", simple_value=1 / (1 + step))])
    writer.add_event(Event(step=step, wall_time=step, summary=summary))
writer.close()
Session().obs.upload_dir("events", arguments.train_url)
