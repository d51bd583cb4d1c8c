/**
 * Certificates made on the spot with `openssl`, in a folder that is gone when they are read.
 */
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as Effect from "effect/Effect"
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

export interface Pair {
  readonly cert: string
  readonly key: string
}

export interface Certificates {
  readonly ca: string
  /** For localhost, 127.0.0.1 and zk.test. */
  readonly server: Pair
  /** For elsewhere.test alone. */
  readonly elsewhere: Pair
  /** For localhost and 127.0.0.1, of yesterday. */
  readonly expired: Pair
  /** For localhost, signed by itself. */
  readonly selfSigned: Pair
  /** For a name with a line break in it, signed by itself. */
  readonly foul: Pair
  /** For localhost, by an authority that no client trusts. */
  readonly ofAnotherCa: Pair
  readonly client: Pair
  /** `client` as PKCS#12 with the passphrase "secret". */
  readonly clientPfx: Uint8Array
}

const make = Effect.gen(function* () {
  const folder = yield* TemporaryFolder.make("transport-certificates-")
  return yield* Effect.sync((): Certificates => {
    const openssl = (...args: Array<string>) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" })
    const pair = (name: string): Pair => ({
      cert: readFileSync(join(folder, `${name}.crt`), "utf8"),
      key: readFileSync(join(folder, `${name}.key`), "utf8")
    })
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    const selfSign = (name: string, names: string, ...extra: Array<string>) => {
      const files = ["-keyout", `${name}.key`, "-out", `${name}.crt`]
      openssl("req", "-x509", ...curve, ...files, "-days", "2", "-subj", `/CN=${name}`, ...names.split(" "), ...extra)
      return pair(name)
    }
    const sign = (name: string, authority: string, names: string, days: string) => {
      openssl("req", "-new", ...curve, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`)
      writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${names}\n`)
      const by = ["-CA", `${authority}.crt`, "-CAkey", `${authority}.key`, "-CAcreateserial"]
      const files = ["-in", `${name}.csr`, "-extfile", `${name}.ext`, "-out", `${name}.crt`]
      openssl("x509", "-req", ...files, ...by, "-days", days)
      return pair(name)
    }
    const constraints = "-addext basicConstraints=critical,CA:TRUE"
    const ca = selfSign("ca", constraints)
    selfSign("another-ca", constraints)
    const local = "DNS:localhost,IP:127.0.0.1"
    const client = sign("client", "ca", "DNS:client.test", "2")
    const clientFiles = ["-in", "client.crt", "-inkey", "client.key", "-out", "client.p12"]
    openssl("pkcs12", "-export", ...clientFiles, "-passout", "pass:secret")
    return {
      ca: ca.cert,
      server: sign("server", "ca", `${local},DNS:zk.test`, "2"),
      elsewhere: sign("elsewhere", "ca", "DNS:elsewhere.test", "2"),
      expired: sign("expired", "ca", local, "-1"),
      selfSigned: selfSign("self-signed", `-addext subjectAltName=${local}`),
      foul: selfSign("foul", constraints, "-subj", "/CN=a.test\nERROR forged"),
      ofAnotherCa: sign("of-another-ca", "another-ca", local, "2"),
      client,
      clientPfx: readFileSync(join(folder, "client.p12"))
    }
  })
})

/** Made at the first use, once for a test file. */
export const certificates: Effect.Effect<Certificates> = Effect.runSync(Effect.cached(Effect.scoped(make)))
