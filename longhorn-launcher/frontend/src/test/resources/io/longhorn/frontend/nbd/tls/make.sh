#!/usr/bin/env bash
# Made the files beside it: an authority, a server of localhost, a client, and a client of somebody else. Valid for 100 years. For tests only: the keys are public.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 36500 -subj "/CN=$1" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$1-key.pem" -out "$1-cert.pem"
}
signed() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=$1" -keyout "$1-key.pem" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA "$2-cert.pem" -CAkey "$2-key.pem" -CAcreateserial -days 36500 -out "$1-cert.pem" \
    -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n')
  rm "$1.csr"
}
authority ca
authority stranger-ca
signed server ca
signed client ca
signed stranger stranger-ca
rm -f ./*.srl ca-key.pem stranger-ca-key.pem
