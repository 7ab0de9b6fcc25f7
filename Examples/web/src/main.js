import { createElement } from 'react';
import App from './App.js';

globalThis.ReactDOM.createRoot(document.getElementById('root')).render(createElement(App));
