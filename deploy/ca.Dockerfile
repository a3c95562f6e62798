# A base whose build steps trust a private CA, for the build argument BUILD_IMAGE; nothing is ever shipped on it.
#   docker build -t lambda-build -f deploy/ca.Dockerfile /etc/ssl/certs
ARG BASE_IMAGE=public.ecr.aws/lambda/python:3.13
FROM ${BASE_IMAGE}
ARG CA_BUNDLE=ca-certificates.crt
COPY ${CA_BUNDLE} /run/ca.pem
ENV SSL_CERT_FILE=/run/ca.pem PIP_CERT=/run/ca.pem
