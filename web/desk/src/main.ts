import '@shared/look/tokens.css'
import './look/desk.css'
import './look/paper.css'
import { createApp } from 'vue'
import App from './App.vue'
import { open } from './desk'

createApp(App).mount('#desk')
void open()
