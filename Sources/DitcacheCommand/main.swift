print("ditcache")
