/**
 * A certificate authority with one server and two clients, made by the `openssl` command for one run and thrown away.
 */
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { ZooKeeperServerError } from "../../ZooKeeperError.ts"
import type { KeyPair, Options } from "./model.ts"

export interface Certificates {
  /** The folder of the files, and of the authority's key. */
  readonly folder: string
  /** The authority that signed all of them, PEM. */
  readonly ca: string
  readonly client: KeyPair
  readonly superClient: KeyPair
  /** Files for the server: key and certificate in one, and the authority. */
  readonly serverPemFile: string
  readonly caFile: string
}

/** The files that the options need. */
export const certificatesFor = (
  { tls }: Options,
  folder: string
): Effect.Effect<Certificates | undefined, ZooKeeperServerError> =>
  tls === undefined || tls === false
    ? Effect.succeed(undefined)
    : makeCertificates(folder, tls !== true && tls.expired === true)

/** Makes them in `folder`, which must exist. With `expired` the server's certificate has expired. */
const makeCertificates = Effect.fnUntraced(function* (folder: string, expired = false) {
  const openssl = opensslIn(folder)
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
  const read = (name: string) => Fs.readFileSync(Path.join(folder, name), "utf8")

  const sign = Effect.fnUntraced(function* (name: string, commonName: string, days = "2") {
    const extensions = "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n"
    Fs.writeFileSync(Path.join(folder, `${name}.ext`), extensions)
    yield* openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${commonName}`)
    const authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"]
    const certificate = ["-in", `${name}.csr`, "-out", `${name}.crt`, "-days", days, "-extfile", `${name}.ext`]
    yield* openssl("x509", "-req", ...authority, ...certificate)
    return { key: read(`${name}.key`), cert: read(`${name}.crt`) }
  })

  yield* openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test-ca")
  const server = yield* sign("server", "localhost", expired ? "-1" : "2")
  const client = yield* sign("client", "zkclient")
  const superClient = yield* sign("super", "zksuper")
  // ZooKeeper knows a PEM store by its extension.
  const serverPemFile = Path.join(folder, "server.pem")
  const caFile = Path.join(folder, "ca.pem")
  Fs.writeFileSync(serverPemFile, server.key + server.cert)
  Fs.writeFileSync(caFile, read("ca.crt"))
  const certificates: Certificates = { folder, ca: read("ca.crt"), client, superClient, serverPemFile, caFile }
  return certificates
})

/** The client's certificate and key as PKCS#12. */
export const makeClientPfx = Effect.fnUntraced(function* (folder: string, passphrase: string) {
  const pair = ["-in", "client.crt", "-inkey", "client.key"]
  yield* opensslIn(folder)("pkcs12", "-export", ...pair, "-out", "client.p12", "-passout", `pass:${passphrase}`)
  return new Uint8Array(Fs.readFileSync(Path.join(folder, "client.p12")))
})

/** The client's private key, encrypted, PEM. */
export const makeEncryptedClientKey = Effect.fnUntraced(function* (folder: string, passphrase: string) {
  const encrypt = ["-topk8", "-v2", "aes256", "-passout", `pass:${passphrase}`]
  yield* opensslIn(folder)("pkcs8", ...encrypt, "-in", "client.key", "-out", "client-encrypted.key")
  return Fs.readFileSync(Path.join(folder, "client-encrypted.key"), "utf8")
})

/** The authority's list of revoked certificates: the server's one or none. PEM. */
export const makeCrl = Effect.fnUntraced(function* (folder: string, revoked: "server" | "nothing") {
  const openssl = opensslIn(folder)
  const database = `revoked-${revoked}`
  Fs.writeFileSync(Path.join(folder, database), "")
  Fs.writeFileSync(
    Path.join(folder, `${database}.cnf`),
    `[ca]\ndefault_ca=own\n[own]\ndatabase=${database}\ndefault_md=sha256\ndefault_crl_days=2\n`
  )
  const authority = ["-config", `${database}.cnf`, "-keyfile", "ca.key", "-cert", "ca.crt"]
  if (revoked === "server") yield* openssl("ca", ...authority, "-revoke", "server.crt")
  yield* openssl("ca", ...authority, "-gencrl", "-out", `${database}.crl`)
  return Fs.readFileSync(Path.join(folder, `${database}.crl`), "utf8")
})

const opensslIn =
  (folder: string) =>
  (...args: ReadonlyArray<string>) =>
    Effect.callback<void, ZooKeeperServerError>((resume) => {
      const fail = (reason: string) =>
        resume(Effect.fail(new ZooKeeperServerError({ server: "openssl", action: args[0] ?? "", reason })))
      ChildProcess.execFile("openssl", args, { cwd: folder }, (error) =>
        error === null ? resume(Effect.void) : fail(error.message)
      )
    })
