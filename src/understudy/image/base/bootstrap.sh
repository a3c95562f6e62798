#!/bin/bash
# Stand-in for /var/runtime/bootstrap of AWS's Python images: names the environment, honours the wrapper.
export AWS_EXECUTION_ENV=AWS_Lambda_python3.13

runtime=(/var/lang/bin/python3.13 /var/runtime/bootstrap.py)
wrapper="$AWS_LAMBDA_EXEC_WRAPPER"
if [ -z "$wrapper" ]; then
  exec "${runtime[@]}"
fi
if [ ! -f "$wrapper" ]; then
  echo "$wrapper: does not exist"
  exit 127
fi
if [ ! -x "$wrapper" ]; then
  echo "$wrapper: is not an executable"
  exit 126
fi
exec -- "$wrapper" "${runtime[@]}"
