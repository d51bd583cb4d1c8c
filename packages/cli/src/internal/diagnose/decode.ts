/** Answers between their encoded form and their value. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type Answer, schemas, type Word } from "../../ServerAnswers.ts"

/** The failure is a mistake in one line. */
export const decode = <W extends Word>(word: W, encoded: unknown): Result.Result<Answer<W>, string> => {
  const codec: Codecs[W] = codecs[word]
  return Result.mapError(codec.decode(encoded), (error) => error.message.trim().replaceAll(/\s*\n\s*/g, " "))
}

/** The JSON of an answer. */
export const encode = <W extends Word>(word: W, answer: Answer<W>): unknown => {
  const codec: Codecs[W] = codecs[word]
  return codec.encode(answer)
}

// ---- internal

interface Codec<A> {
  readonly decode: (encoded: unknown) => Result.Result<A, Schema.SchemaError>
  readonly encode: (value: A) => unknown
}

type Codecs = { readonly [W in Word]: Codec<Answer<W>> }

const codecOf = <A, I>(schema: Schema.Codec<A, I>): Codec<A> => ({
  decode: Schema.decodeUnknownResult(schema),
  encode: Schema.encodeSync(schema)
})

const codecs: Codecs = {
  ruok: codecOf(schemas.ruok),
  isro: codecOf(schemas.isro),
  srvr: codecOf(schemas.srvr),
  stat: codecOf(schemas.stat),
  mntr: codecOf(schemas.mntr),
  conf: codecOf(schemas.conf),
  cons: codecOf(schemas.cons),
  envi: codecOf(schemas.envi),
  dirs: codecOf(schemas.dirs),
  wchs: codecOf(schemas.wchs),
  wchp: codecOf(schemas.wchp),
  wchc: codecOf(schemas.wchc),
  dump: codecOf(schemas.dump)
}
