import { defineComponent, h } from 'vue'

/** A button of the browser itself, which keyboards and screen readers know; uni-app would put a drawn one in its place. */
export default defineComponent({
  name: 'NativeButton',
  setup: (_, { slots }) => () => h('button', { type: 'button' }, slots.default?.()),
})
