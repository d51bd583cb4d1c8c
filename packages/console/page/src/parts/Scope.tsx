import { createEffect, createSignal, on } from "solid-js"
import { usePage } from "../shell/page.ts"

/** The path that a view is about: the one of the address, which can be changed here. */
export const Scope = (props: { readonly label: string }) => {
  const { go, route } = usePage()
  const [typed, setTyped] = createSignal(route().path)
  createEffect(on(() => route().path, setTyped))
  const isPath = () => typed().startsWith("/")
  return (
    <form
      class="scope"
      onSubmit={(event) => {
        event.preventDefault()
        if (isPath()) go({ path: typed().length > 1 ? typed().replace(/\/+$/, "") : "/" })
      }}
    >
      <label class="row">
        <span class="muted">{props.label}</span>
        <input
          class="field mono scope-field"
          data-key="/"
          spellcheck={false}
          autocomplete="off"
          aria-invalid={!isPath()}
          value={typed()}
          onInput={(event) => setTyped(event.currentTarget.value.trim())}
        />
      </label>
      <button class="button" disabled={!isPath() || typed() === route().path}>
        Show
      </button>
    </form>
  )
}
