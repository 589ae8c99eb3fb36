import { defineComponent, h } from 'vue'

/** A field of the browser itself, so that its label, its filling-in and its keyboard work. */
export default defineComponent({
  name: 'NativeInput',
  props: { value: { type: String, default: '' } },
  emits: ['typed'],
  setup: (props, { emit }) => () =>
    h('input', { value: props.value, onInput: (event: Event) => emit('typed', (event.target as HTMLInputElement).value) }),
})
