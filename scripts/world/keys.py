"""A certificate authority of the world's own, and one certificate for all of its names."""

import os
import shutil

NAMES = ["*.world.test", "world.test", "*.internal", "localhost"]
ADDRESSES = ["93.184.216.34", "2606:2800:220:1::34", "10.1.2.3"]


def make(directory, public):
    """The authority's certificate lands in `public` as ca.pem, the server's key in `directory`."""
    from . import run
    os.mkdir(directory, 0o711)
    key, certificate = f"{directory}/ca.key", f"{directory}/ca.pem"
    elliptic = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    run("openssl", "req", "-x509", *elliptic, "-keyout", key, "-out", certificate, "-days", "2",
        "-subj", "/CN=Corral test world", "-addext", "keyUsage=critical,keyCertSign")
    names = ",".join([f"DNS:{name}" for name in NAMES] + [f"IP:{one}" for one in ADDRESSES])
    extensions = f"{directory}/extensions"
    with open(extensions, "w", encoding="ascii") as file:
        file.write(f"subjectAltName={names}\nbasicConstraints=CA:FALSE\n")
    request = f"{directory}/server.csr"
    run("openssl", "req", *elliptic, "-keyout", f"{directory}/server.key", "-out", request,
        "-subj", "/CN=world.test")
    run("openssl", "x509", "-req", "-in", request, "-CA", certificate, "-CAkey", key,
        "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out", f"{directory}/server.pem")
    shutil.copy(certificate, f"{public}/ca.pem")
    os.chmod(f"{public}/ca.pem", 0o644)
