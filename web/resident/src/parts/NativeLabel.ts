import { defineComponent, h } from 'vue'

/** A label of the browser itself: a touch on it goes to its field. */
export default defineComponent({
  name: 'NativeLabel',
  setup: (_, { slots }) => () => h('label', {}, slots.default?.()),
})
