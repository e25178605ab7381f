"""What the scripts share; the README's map says what each room holds."""
