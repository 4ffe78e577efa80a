#!/bin/sh
# start-broker.sh CONFIG FOLDER JAVA…: starts the broker; before the first start, makes its folder.
set -eu
config=$1
folder=$2
shift 2
[ -f "$folder/meta.properties" ] || "$@" kafka.tools.StorageTool format --cluster-id city-lake-telemetry-id --config "$config"
exec "$@" kafka.Kafka "$config"
