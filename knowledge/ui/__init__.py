"""Pages in Streamlit: address in, records through, components out."""
