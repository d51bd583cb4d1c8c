/**
 * A certificate authority with one server and two clients, made by the `openssl` command for one run and thrown away.
 */
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { ZooKeeperServerError } from "../ZooKeeperError.ts"

/** A private key and its certificate, PEM. */
export interface KeyPair {
  readonly key: string
  readonly cert: string
}

export interface Certificates {
  /** The authority that signed all of them, PEM. */
  readonly ca: string
  readonly client: KeyPair
  readonly superClient: KeyPair
  /** Files for the server: key and certificate in one, and the authority. */
  readonly serverPemFile: string
  readonly caFile: string
}

/** Makes them in `folder`, which must exist. */
export const makeCertificates = Effect.fnUntraced(function* (folder: string) {
  const openssl = (...args: Array<string>) =>
    Effect.callback<void, ZooKeeperServerError>((resume) => {
      const fail = (reason: string) =>
        resume(Effect.fail(new ZooKeeperServerError({ server: "openssl", action: args[0] ?? "", reason })))
      ChildProcess.execFile("openssl", args, { cwd: folder }, (error) =>
        error === null ? resume(Effect.void) : fail(error.message)
      )
    })
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
  const read = (name: string) => Fs.readFileSync(Path.join(folder, name), "utf8")

  const sign = Effect.fnUntraced(function* (name: string, commonName: string) {
    const extensions = "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n"
    Fs.writeFileSync(Path.join(folder, `${name}.ext`), extensions)
    yield* openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${commonName}`)
    const authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"]
    const certificate = ["-in", `${name}.csr`, "-out", `${name}.crt`, "-days", "2", "-extfile", `${name}.ext`]
    yield* openssl("x509", "-req", ...authority, ...certificate)
    return { key: read(`${name}.key`), cert: read(`${name}.crt`) }
  })

  yield* openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test-ca")
  const server = yield* sign("server", "localhost")
  const client = yield* sign("client", "zkclient")
  const superClient = yield* sign("super", "zksuper")
  // ZooKeeper knows a PEM store by its extension.
  const serverPemFile = Path.join(folder, "server.pem")
  const caFile = Path.join(folder, "ca.pem")
  Fs.writeFileSync(serverPemFile, server.key + server.cert)
  Fs.writeFileSync(caFile, read("ca.crt"))
  const certificates: Certificates = { ca: read("ca.crt"), client, superClient, serverPemFile, caFile }
  return certificates
})
