print("lychgate")
