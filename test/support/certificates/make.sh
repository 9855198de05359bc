#!/bin/sh
# Makes the certificates of this directory, once, with OpenSSL 3, valid for 100 years: sh make.sh
#
# ca, other-ca        authorities; clients of the second are strangers to those who trust the first
# server              localhost and 127.0.0.1, by ca; server.encrypted.key is its key behind the passphrase "open sesame"
# renewed             a successor of server, by ca
# rsa-server          like server, with an RSA key, for the cipher suites that need one
# chained-server      localhost and 127.0.0.1, by intermediate; chained-server.pem holds both
# client              a subject with a comma, a plus sign in it and two attributes in one place, by ca
# server-only         may not be used by clients, by ca
# expired, stranger   a client's that has ended; a client's by other-ca
# chained-client      a client's by intermediate; chained-client.pem holds both
set -eu
cd "$(dirname "$0")"
DAYS=36500

key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"
}

authority() { # name, subject
  key "$1"
  openssl req -x509 -new -key "$1.key" -subj "$2" -days $DAYS -out "$1.pem" \
    -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign,cRLSign
}

sign() { # name, subject, authority, days, extensions
  [ -f "$1.key" ] || key "$1"
  openssl req -new -utf8 -multivalue-rdn -key "$1.key" -subj "$2" -out request.tmp
  printf '%b\n' "$5" >extensions.tmp
  openssl x509 -req -in request.tmp -CA "$3.pem" -CAkey "$3.key" -days "$4" -extfile extensions.tmp -out "$1.pem"
  rm request.tmp extensions.tmp
}

SERVER='subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth'
CLIENT='extendedKeyUsage=clientAuth'

authority ca '/CN=Test CA'
authority other-ca '/CN=Other CA'
sign intermediate '/CN=Test Intermediate CA' ca $DAYS 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign'
sign server '/CN=localhost' ca $DAYS "$SERVER"
sign renewed '/CN=localhost' ca $DAYS "$SERVER"
openssl pkcs8 -topk8 -in server.key -passout 'pass:open sesame' -out server.encrypted.key
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa-server.key
sign rsa-server '/CN=localhost' ca $DAYS "$SERVER"
sign chained-server '/CN=localhost' intermediate $DAYS "$SERVER"
sign client '/C=FR/O=Acme, Inc.+OU=R\+D/CN=Zoé' ca $DAYS "$CLIENT"
sign server-only '/CN=no client' ca $DAYS 'extendedKeyUsage=serverAuth'
sign expired '/CN=too late' ca -1 "$CLIENT"
sign stranger '/CN=stranger' other-ca $DAYS "$CLIENT"
sign chained-client '/CN=chained client' intermediate $DAYS "$CLIENT"
cat intermediate.pem >>chained-server.pem
cat intermediate.pem >>chained-client.pem
# Their keys are needed no more.
rm ca.key other-ca.key other-ca.pem intermediate.key intermediate.pem
rm -f ./*.srl
