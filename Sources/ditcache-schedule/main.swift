print("ditcache-schedule")
