// Where the backend and Lychgate listen. serve.py answers this file itself if it was told other
// ports.
export const BACKEND_PORT = 8000;
export const LYCHGATE_PORT = 8080;
