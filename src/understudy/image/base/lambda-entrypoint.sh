#!/bin/sh
# Stand-in for AWS's entry script, with its contract: exactly one argument, the handler; the runtime is
# /var/runtime/bootstrap; without a Runtime API the emulator (RIE) runs it, where there is one.
if [ $# -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" 1>&2
  exit 142
fi
export _HANDLER="$1"

runtime=/var/runtime/bootstrap
emulator=/usr/local/bin/aws-lambda-rie
if [ -n "$AWS_LAMBDA_RUNTIME_API" ]; then
  exec "$runtime"
fi
if [ -x "$emulator" ]; then
  exec "$emulator" "$runtime"
fi
echo "AWS_LAMBDA_RUNTIME_API is not set, and this stand-in base has no $emulator" 1>&2
echo "hint: run the image with understudy invoke, or mount AWS's emulator there" 1>&2
exit 1
